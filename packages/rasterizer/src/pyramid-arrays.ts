import { texelCount, textureLevels, type TextureLevel } from './texture-levels.js'

/** Calls `visit` for each pair of a texel of a coarser level and one of the finer level in its area, with the part of the coarser
 * texel that the finer one makes up. `coarse` and `fine` count texels from the start of the pyramid.
 *
 * n = 2 m + 1 columns become m, of (2 + 1 / m) texels each: column i holds (m - i) / n of column 2 i, m / n of 2 i + 1 and
 * (i + 1) / n of 2 i + 2. With an even n it is one half of two.
 */
function eachPart(
  from: TextureLevel,
  to: TextureLevel,
  visit: (coarse: number, fine: number, weight: number) => void,
): void {
  for (let row = 0; row < to.rows; row++) {
    for (let column = 0; column < to.columns; column++) {
      const coarse = to.start + row * to.columns + column
      for (let j = 0; j < 3; j++) {
        const rowWeight = partOf(from.rows, row, j)
        if (rowWeight === 0) continue
        const fineRow = from.rows === 1 ? 0 : 2 * row + j
        for (let i = 0; i < 3; i++) {
          const weight = rowWeight * partOf(from.columns, column, i)
          if (weight === 0) continue
          const fineColumn = from.columns === 1 ? 0 : 2 * column + i
          visit(coarse, from.start + fineRow * from.columns + fineColumn, weight)
        }
      }
    }
  }
}

/** The weight of tap k, of 0, 1 and 2, in texel `index` of the level below one of n rows or columns. */
function partOf(n: number, index: number, k: number): number {
  if (n === 1) return k === 0 ? 1 : 0
  if (n % 2 === 0) return k < 2 ? 0.5 : 0
  const m = n >> 1
  return (k === 0 ? m - index : k === 1 ? m : index + 1) / n
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
      eachPart(levels[l - 1], levels[l], (coarse, fine, weight) => {
        for (let k = 0; k < channels; k++) {
          texels[coarse * channels + k] += weight * texels[fine * channels + k]
        }
      })
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
      eachPart(levels[l - 1], levels[l], (coarse, fine, weight) => {
        for (let k = 0; k < channels; k++) {
          texels[fine * channels + k] += weight * texels[coarse * channels + k]
        }
      })
    }
    gradient.set(texels.subarray(0, size), item * size)
  }
}
