import { texelCount, textureLevels, type TextureLevel } from '../../texture/texture-levels.js'

/** What the rows, or the columns, of a level hold of those of the finer one. */
interface Taps {
  /** How many there are for each, 1 to 3; `first[i] + t` is the t-th. */
  count: number
  first: Int32Array
  /** `weights[3 * i + t]` */
  weights: Float64Array
}

/** Halves n rows or columns.
 *
 * n = 2 m + 1 become m, of (2 + 1 / m) each: the i-th holds (m - i) / n of 2 i, m / n of 2 i + 1 and (i + 1) / n of
 * 2 i + 2. With an even n it is one half of two. A single one stays.
 */
function tapsOf(n: number): Taps {
  const m = Math.max(1, n >> 1)
  const weightsOf = (i: number) => {
    if (n === 1) return [1, 0, 0]
    return n % 2 === 0 ? [0.5, 0.5, 0] : [(m - i) / n, m / n, (i + 1) / n]
  }
  const all = Array.from({ length: m }, (_, i) => weightsOf(i))
  return {
    count: n === 1 ? 1 : n % 2 === 0 ? 2 : 3,
    first: Int32Array.from(all, (_, i) => 2 * i),
    weights: Float64Array.from(all.flat()),
  }
}

/** Goes through a coarser level `to` and the texels of the finer level `from` that its texels hold: forward the coarser ones gather
 * them, backward they hand out to them. All levels lie in `texels`. */
function passLevel(
  texels: Float32Array,
  channels: number,
  from: TextureLevel,
  to: TextureLevel,
  forward: boolean,
): void {
  const [rows, columns] = [tapsOf(from.rows), tapsOf(from.columns)]
  let coarse = to.start * channels
  for (let row = 0; row < to.rows; row++) {
    for (let column = 0; column < to.columns; column++, coarse += channels) {
      for (let j = 0; j < rows.count; j++) {
        const line = from.start + (rows.first[row] + j) * from.columns + columns.first[column]
        for (let i = 0; i < columns.count; i++) {
          const weight = rows.weights[3 * row + j] * columns.weights[3 * column + i]
          const fine = (line + i) * channels
          if (forward) for (let k = 0; k < channels; k++) texels[coarse + k] += weight * texels[fine + k]
          else for (let k = 0; k < channels; k++) texels[fine + k] += weight * texels[coarse + k]
        }
      }
    }
  }
}

/** Fills `[B, T, C]` from a texture of shape `[B, Ht, Wt, C]`. */
export function buildPyramid(
  [batch, rows, columns, channels]: readonly number[],
  texture: Float32Array,
  pyramid: Float32Array,
): void {
  const levels = textureLevels(rows, columns)
  const [size, stride] = [rows * columns * channels, texelCount(levels) * channels]
  for (let item = 0; item < batch; item++) {
    const texels = pyramid.subarray(item * stride, (item + 1) * stride)
    texels.fill(0, size)
    texels.set(texture.subarray(item * size, (item + 1) * size))
    for (let l = 1; l < levels.length; l++) {
      passLevel(texels, channels, levels[l - 1], levels[l], true)
    }
  }
}

/** Fills the gradient of a texture of shape `[B, Ht, Wt, C]`: each level's goes to the finer one, from the last on. */
export function pyramidGradient(
  [batch, rows, columns, channels]: readonly number[],
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const levels = textureLevels(rows, columns)
  const [size, stride] = [rows * columns * channels, texelCount(levels) * channels]
  for (let item = 0; item < batch; item++) {
    const texels = upstream.slice(item * stride, (item + 1) * stride)
    for (let l = levels.length - 1; l > 0; l--) {
      passLevel(texels, channels, levels[l - 1], levels[l], false)
    }
    gradient.set(texels.subarray(0, size), item * size)
  }
}
