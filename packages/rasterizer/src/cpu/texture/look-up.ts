import type { TextureLevel, TextureWrap } from '../../texture/texture-levels.js'

/** What the passes over a batch of look-ups share. */
export interface TextureScene {
  uv: Float32Array
  /** `[B, H, W, 4]` du/dx, du/dy, dv/dx, dv/dy, which choose the levels; without them all look-ups are in the first. */
  derivatives?: Float32Array | undefined
  levels: readonly TextureLevel[]
  /** Texels of all levels. */
  texels: number
  /** How many textures there are: as many as pictures, or 1. */
  textures: number
  channels: number
  batch: number
  wrap: TextureWrap
  /** Whether v goes up from the bottom of the texture. */
  lowerLeft: boolean
}

/** The four texels around a look-up. Reused: copy what you keep. */
const corners = {
  /** Offsets of the first channel: upper left, upper right, lower left, lower right. */
  upperLeft: 0,
  upperRight: 0,
  lowerLeft: 0,
  lowerRight: 0,
  /** Weight of the right and of the lower texels. */
  right: 0,
  lower: 0,
}

function wrapIndex(index: number, size: number, wrap: TextureWrap): number {
  if (wrap === 'repeat') return ((index % size) + size) % size
  if (wrap === 'mirror') {
    const period = 2 * size
    const folded = ((index % period) + period) % period
    return folded < size ? folded : period - 1 - folded
  }
  return index < 0 ? 0 : index >= size ? size - 1 : index
}

/** The level of look-up q, a fraction: log2 of the texels that a pixel covers along the longer of its sides.
 *
 * level = log2 max(|d(texel)/dx|, |d(texel)/dy|), within the levels that there are; 0 when that is not a number.
 */
function levelOf({ derivatives, levels }: TextureScene, q: number): number {
  if (derivatives === undefined) return 0
  const [{ rows, columns }] = levels
  const ux = derivatives[4 * q] * columns
  const uy = derivatives[4 * q + 1] * columns
  const vx = derivatives[4 * q + 2] * rows
  const vy = derivatives[4 * q + 3] * rows
  const squared = Math.max(ux * ux + vx * vx, uy * uy + vy * vy)
  return squared > 1 ? Math.min(0.5 * Math.log2(squared), levels.length - 1) : 0
}

/** Finds the texels of look-up q in a level; false when the coordinates are not finite. */
function locate(scene: TextureScene, q: number, level: TextureLevel, perItem: number): boolean {
  const { uv, textures, texels, channels, wrap, lowerLeft } = scene
  const { rows, columns } = level
  const u = uv[2 * q]
  const v = uv[2 * q + 1]
  if (u - u !== 0 || v - v !== 0) return false
  const x = u * columns - 0.5
  const y = (lowerLeft ? 1 - v : v) * rows - 0.5
  const left = Math.floor(x)
  const upper = Math.floor(y)
  const item = textures === 1 ? 0 : Math.floor(q / perItem)
  const base = (item * texels + level.start) * channels
  const x0 = wrapIndex(left, columns, wrap) * channels
  const x1 = wrapIndex(left + 1, columns, wrap) * channels
  const y0 = base + wrapIndex(upper, rows, wrap) * columns * channels
  const y1 = base + wrapIndex(upper + 1, rows, wrap) * columns * channels
  corners.upperLeft = y0 + x0
  corners.upperRight = y0 + x1
  corners.lowerLeft = y1 + x0
  corners.lowerRight = y1 + x1
  corners.right = x - left
  corners.lower = y - upper
  return true
}

/** Calls `visit` with the one or two levels of each look-up and their weights; `corners` are then set. Calls `lose` where the coordinates
 * are not finite, which is nowhere in the texture. */
function eachLookUp(
  scene: TextureScene,
  visit: (q: number, weight: number, level: TextureLevel) => void,
  lose: (q: number) => void,
): void {
  const { levels, batch } = scene
  const count = scene.uv.length / 2
  for (let q = 0; q < count; q++) {
    const fraction = levelOf(scene, q)
    const first = Math.floor(fraction)
    const weight = fraction - first
    if (!locate(scene, q, levels[first], count / batch)) {
      lose(q)
      continue
    }
    visit(q, 1 - weight, levels[first])
    if (weight === 0) continue
    locate(scene, q, levels[first + 1], count / batch)
    visit(q, weight, levels[first + 1])
  }
}

/** Fills `output` `[B, H, W, C]`. */
export function lookUp(scene: TextureScene, texture: Float32Array, output: Float32Array): void {
  const { channels } = scene
  output.fill(0)
  const visit = (q: number, weight: number) => {
    const { upperLeft, upperRight, lowerLeft, lowerRight, right, lower } = corners
    const o = q * channels
    for (let k = 0; k < channels; k++) {
      const upperValue = texture[upperLeft + k] * (1 - right) + texture[upperRight + k] * right
      const lowerValue = texture[lowerLeft + k] * (1 - right) + texture[lowerRight + k] * right
      output[o + k] += weight * (upperValue * (1 - lower) + lowerValue * lower)
    }
  }
  eachLookUp(scene, visit, (q) => output.fill(NaN, q * channels, (q + 1) * channels))
}

/** Fills the gradient of the texels of all levels. */
export function lookUpTexelGradient(
  scene: TextureScene,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const { channels } = scene
  gradient.fill(0)
  const visit = (q: number, weight: number) => {
    const { upperLeft, upperRight, lowerLeft, lowerRight, right, lower } = corners
    const o = q * channels
    for (let k = 0; k < channels; k++) {
      const g = weight * upstream[o + k]
      gradient[upperLeft + k] += g * (1 - right) * (1 - lower)
      gradient[upperRight + k] += g * right * (1 - lower)
      gradient[lowerLeft + k] += g * (1 - right) * lower
      gradient[lowerRight + k] += g * right * lower
    }
  }
  // No texel was read there.
  eachLookUp(scene, visit, () => {})
}

/** Fills the gradient of the coordinates. Beyond a clamped border both texels are the same, which makes it 0 there. */
export function lookUpCoordinateGradient(
  scene: TextureScene,
  texture: Float32Array,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const { channels, lowerLeft: up } = scene
  gradient.fill(0)
  const visit = (q: number, weight: number, { rows, columns }: TextureLevel) => {
    const { upperLeft, upperRight, lowerLeft, lowerRight, right, lower } = corners
    const o = q * channels
    let du = 0
    let dv = 0
    for (let k = 0; k < channels; k++) {
      const a = texture[upperLeft + k]
      const b = texture[upperRight + k]
      const c = texture[lowerLeft + k]
      const d = texture[lowerRight + k]
      du += upstream[o + k] * ((b - a) * (1 - lower) + (d - c) * lower)
      dv += upstream[o + k] * ((c - a) * (1 - right) + (d - b) * right)
    }
    gradient[2 * q] += weight * du * columns
    gradient[2 * q + 1] += weight * dv * (up ? -rows : rows)
  }
  eachLookUp(scene, visit, (q) => gradient.fill(NaN, 2 * q, 2 * q + 2))
}
