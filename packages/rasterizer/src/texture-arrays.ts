/** How coordinates beyond 0..1 are taken: the border's texels go on, or the texture repeats. */
export type TextureWrap = 'clamp' | 'repeat'

/** What the passes over a batch of look-ups share. */
export interface TextureScene {
  uv: Float32Array
  /** `[B or 1, Ht, Wt, C]`. */
  shape: readonly number[]
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
  return index < 0 ? 0 : index >= size ? size - 1 : index
}

/** Finds the texels of look-up q; false when the coordinates are not finite. */
function locate({ uv, shape, batch, wrap, lowerLeft }: TextureScene, q: number, perItem: number): boolean {
  const [textures, rows, columns, channels] = shape
  const u = uv[2 * q]
  const v = uv[2 * q + 1]
  if (u - u !== 0 || v - v !== 0) return false
  const x = u * columns - 0.5
  const y = (lowerLeft ? 1 - v : v) * rows - 0.5
  const left = Math.floor(x)
  const upper = Math.floor(y)
  const item = textures === 1 || batch === 1 ? 0 : Math.floor(q / perItem)
  const base = item * rows * columns * channels
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

/** Fills `output` `[B, H, W, C]`. */
export function lookUp(scene: TextureScene, texture: Float32Array, output: Float32Array): void {
  const channels = scene.shape[3]
  const count = scene.uv.length / 2
  for (let q = 0, o = 0; q < count; q++, o += channels) {
    if (!locate(scene, q, count / scene.batch)) {
      for (let k = 0; k < channels; k++) output[o + k] = 0
      continue
    }
    const { upperLeft, upperRight, lowerLeft, lowerRight, right, lower } = corners
    for (let k = 0; k < channels; k++) {
      const upperValue = texture[upperLeft + k] * (1 - right) + texture[upperRight + k] * right
      const lowerValue = texture[lowerLeft + k] * (1 - right) + texture[lowerRight + k] * right
      output[o + k] = upperValue * (1 - lower) + lowerValue * lower
    }
  }
}

/** Fills the gradient of the texture. */
export function lookUpTextureGradient(
  scene: TextureScene,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const channels = scene.shape[3]
  const count = scene.uv.length / 2
  gradient.fill(0)
  for (let q = 0, o = 0; q < count; q++, o += channels) {
    if (!locate(scene, q, count / scene.batch)) continue
    const { upperLeft, upperRight, lowerLeft, lowerRight, right, lower } = corners
    for (let k = 0; k < channels; k++) {
      const g = upstream[o + k]
      gradient[upperLeft + k] += g * (1 - right) * (1 - lower)
      gradient[upperRight + k] += g * right * (1 - lower)
      gradient[lowerLeft + k] += g * (1 - right) * lower
      gradient[lowerRight + k] += g * right * lower
    }
  }
}

/** Fills the gradient of the coordinates. Beyond a clamped border both texels are the same, which makes it 0 there. */
export function lookUpCoordinateGradient(
  scene: TextureScene,
  texture: Float32Array,
  upstream: Float32Array,
  gradient: Float32Array,
): void {
  const [, rows, columns, channels] = scene.shape
  const count = scene.uv.length / 2
  const down = scene.lowerLeft ? -rows : rows
  for (let q = 0, o = 0; q < count; q++, o += channels) {
    let du = 0
    let dv = 0
    if (locate(scene, q, count / scene.batch)) {
      const { upperLeft, upperRight, lowerLeft, lowerRight, right, lower } = corners
      for (let k = 0; k < channels; k++) {
        const a = texture[upperLeft + k]
        const b = texture[upperRight + k]
        const c = texture[lowerLeft + k]
        const d = texture[lowerRight + k]
        du += upstream[o + k] * ((b - a) * (1 - lower) + (d - c) * lower)
        dv += upstream[o + k] * ((c - a) * (1 - right) + (d - b) * right)
      }
    }
    gradient[2 * q] = du * columns
    gradient[2 * q + 1] = dv * down
  }
}
