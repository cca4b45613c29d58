import { invertTransform, transformPoint, type SimilarityTransform } from './similarity-transform.js'

/** Pixels of an image, row by row, channels last. */
export interface Raster {
  data: ArrayLike<number>
  height: number
  width: number
  channels: number
}

/** A window of the target's pixel grid. */
export interface PixelWindow {
  x: number
  y: number
  width: number
  height: number
}

/** What `resample` gives. */
export interface Resampled {
  /** `[height, width, channels]` of the window. */
  data: Float32Array
  /** `[height, width]` share of each pixel that lies inside of the source, 0..1. */
  inside: Float32Array
}

/** Draws an image through a similarity onto a window of the target grid, without aliasing.
 *
 * When the target is coarser, the source is halved by exact 2 x 2 averages as long as the target stays coarser, and what
 * remains (less than a factor of 2) is averaged over 2 x 2 bilinear samples a pixel. Outside of the source its border
 * pixels are repeated; `inside` tells where.
 *
 * @param transform - source pixels to target pixels, pixel centres at +0.5
 */
export function resample(source: Raster, transform: SimilarityTransform, window: PixelWindow): Resampled {
  const { channels } = source
  const toSource = invertTransform(transform)
  const area = crop(source, toSource, window)
  let level: FloatRaster = area
  let step = toSource.scale
  let factor = 1
  while (step >= 2 && level.width > 1 && level.height > 1) {
    level = halve(level)
    step /= 2
    factor *= 2
  }
  const sub = step > 1.05 ? 2 : 1
  const share = 1 / (sub * sub)
  const c = toSource.scale * Math.cos(toSource.rotation)
  const s = toSource.scale * Math.sin(toSource.rotation)
  const data = new Float32Array(window.width * window.height * channels)
  const inside = new Float32Array(window.width * window.height)
  for (let row = 0; row < window.height; row++) {
    for (let column = 0; column < window.width; column++) {
      const pixel = row * window.width + column
      for (let k = 0; k < sub * sub; k++) {
        const u = window.x + column + ((k % sub) + 0.5) / sub
        const v = window.y + row + (Math.floor(k / sub) + 0.5) / sub
        const x = c * u - s * v + toSource.translation[0]
        const y = s * u + c * v + toSource.translation[1]
        if (x >= 0 && y >= 0 && x <= source.width && y <= source.height) inside[pixel] += share
        addBilinear(level, (x - area.x) / factor, (y - area.y) / factor, share, data, pixel * channels)
      }
    }
  }
  return { data, inside }
}

interface FloatRaster extends Raster {
  data: Float32Array
}

/** The part of the source that the window sees, as floats, with a margin for filters. */
function crop(source: Raster, toSource: SimilarityTransform, window: PixelWindow) {
  const corners = [0, 1, 2, 3].map((i) =>
    transformPoint(toSource, window.x + (i % 2) * window.width, window.y + (i >> 1) * window.height),
  )
  const margin = 2 + 2 * toSource.scale
  const clamp = (value: number, limit: number) => Math.min(limit, Math.max(0, value))
  const xs = corners.map((corner) => corner[0])
  const ys = corners.map((corner) => corner[1])
  const x = clamp(Math.floor(Math.min(...xs) - margin), source.width - 1)
  const y = clamp(Math.floor(Math.min(...ys) - margin), source.height - 1)
  const width = Math.max(1, clamp(Math.ceil(Math.max(...xs) + margin), source.width) - x)
  const height = Math.max(1, clamp(Math.ceil(Math.max(...ys) + margin), source.height) - y)
  const { channels } = source
  const data = new Float32Array(width * height * channels)
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * source.width + x) * channels
    const to = row * width * channels
    for (let i = 0; i < width * channels; i++) data[to + i] = source.data[from + i]
  }
  return { data, width, height, channels, x, y }
}

/** Half as wide and high: means of 2 x 2; an odd last row or column is averaged with itself. */
function halve(image: FloatRaster): FloatRaster {
  const { channels } = image
  const width = Math.ceil(image.width / 2)
  const height = Math.ceil(image.height / 2)
  const data = new Float32Array(width * height * channels)
  for (let row = 0; row < height; row++) {
    const top = 2 * row * image.width
    const bottom = Math.min(2 * row + 1, image.height - 1) * image.width
    for (let column = 0; column < width; column++) {
      const left = 2 * column
      const right = Math.min(left + 1, image.width - 1)
      for (let channel = 0; channel < channels; channel++) {
        data[(row * width + column) * channels + channel] =
          0.25 *
          (image.data[(top + left) * channels + channel] +
            image.data[(top + right) * channels + channel] +
            image.data[(bottom + left) * channels + channel] +
            image.data[(bottom + right) * channels + channel])
      }
    }
  }
  return { data, width, height, channels }
}

function addBilinear(
  image: FloatRaster,
  x: number,
  y: number,
  weight: number,
  target: Float32Array,
  at: number,
): void {
  const { width, height, channels, data } = image
  const px = Math.min(width - 1, Math.max(0, x - 0.5))
  const py = Math.min(height - 1, Math.max(0, y - 0.5))
  const x0 = Math.floor(px)
  const y0 = Math.floor(py)
  const x1 = Math.min(width - 1, x0 + 1)
  const y1 = Math.min(height - 1, y0 + 1)
  const fx = px - x0
  const fy = py - y0
  const w00 = weight * (1 - fx) * (1 - fy)
  const w01 = weight * fx * (1 - fy)
  const w10 = weight * (1 - fx) * fy
  const w11 = weight * fx * fy
  const i00 = (y0 * width + x0) * channels
  const i01 = (y0 * width + x1) * channels
  const i10 = (y1 * width + x0) * channels
  const i11 = (y1 * width + x1) * channels
  for (let c = 0; c < channels; c++) {
    target[at + c] += w00 * data[i00 + c] + w01 * data[i01 + c] + w10 * data[i10 + c] + w11 * data[i11 + c]
  }
}
