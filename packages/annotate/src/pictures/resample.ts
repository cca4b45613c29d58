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
    for (let k = 0; k < sub * sub; k++) {
      const u = window.x + ((k % sub) + 0.5) / sub
      const v = window.y + row + (Math.floor(k / sub) + 0.5) / sub
      const left = c * u - s * v + toSource.translation[0]
      const top = s * u + c * v + toSource.translation[1]
      const first = row * window.width
      for (let column = 0; column < window.width; column++) {
        const x = left + c * column
        const y = top + s * column
        if (x >= 0 && y >= 0 && x <= source.width && y <= source.height) inside[first + column] += share
      }
      addBilinearRow(level, {
        x: (left - area.x) / factor,
        y: (top - area.y) / factor,
        dx: c / factor,
        dy: s / factor,
        weight: share,
        target: data,
        from: first * channels,
        count: window.width,
      })
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
  const { data: pixels } = source
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * source.width + x) * channels
    const to = row * width * channels
    // The usual kinds of arrays are copied at once.
    if (pixels instanceof Uint8Array || pixels instanceof Float32Array)
      data.set(pixels.subarray(from, from + width * channels), to)
    else for (let i = 0; i < width * channels; i++) data[to + i] = pixels[from + i]
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

/** Samples along a line, and where they are added. */
interface SampledRow {
  /** Of the first sample, and from one to the next. */
  x: number
  y: number
  dx: number
  dy: number
  weight: number
  target: Float32Array
  from: number
  count: number
}

function addBilinearRow(image: FloatRaster, { x, y, dx, dy, weight, target, from, count }: SampledRow): void {
  const { width, height, channels, data } = image
  const [right, bottom] = [width - 1, height - 1]
  let at = from
  for (let i = 0; i < count; i++) {
    const px = Math.min(right, Math.max(0, x + dx * i - 0.5))
    const py = Math.min(bottom, Math.max(0, y + dy * i - 0.5))
    const x0 = px | 0
    const y0 = py | 0
    const fx = px - x0
    const fy = py - y0
    const below = weight * fy
    const above = weight - below
    const w01 = above * fx
    const w11 = below * fx
    const w00 = above - w01
    const w10 = below - w11
    const across = x0 < right ? channels : 0
    const i00 = (y0 * width + x0) * channels
    const i10 = y0 < bottom ? i00 + width * channels : i00
    for (let c = 0; c < channels; c++, at++) {
      target[at] +=
        w00 * data[i00 + c] +
        w01 * data[i00 + across + c] +
        w10 * data[i10 + c] +
        w11 * data[i10 + across + c]
    }
  }
}
