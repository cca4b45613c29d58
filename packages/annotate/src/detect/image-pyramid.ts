import { resample, type Raster } from '../pictures/resample.js'

/** A picture and its halves, quarters, ..., so that windows of any size are cut out quickly and without aliasing. */
export interface ImagePyramid {
  width: number
  height: number
  /** Each half as large as the one before. */
  levels: Raster[]
}

/** Halves a picture until nothing is left of it. */
export function createPyramid(raster: Raster): ImagePyramid {
  const levels = [raster]
  for (let last = raster; Math.min(last.width, last.height) >= 16; levels.push(last)) {
    const [width, height] = [Math.ceil(last.width / 2), Math.ceil(last.height / 2)]
    const half = { scale: 0.5, rotation: 0, translation: [0, 0] as [number, number] }
    const { data } = resample(last, half, { x: 0, y: 0, width, height })
    last = { data, width, height, channels: raster.channels }
  }
  return { width: raster.width, height: raster.height, levels }
}

/** Draws a rectangle of the picture in another size; what lies outside of the picture is black.
 *
 * @param window - its left top in pixels of the picture, and how many of them a pixel of the result has
 * @param size - of the result
 * @returns `[height, width, 3]` in the numbers of the picture
 */
export function cutFromPyramid(
  { levels }: ImagePyramid,
  window: { x: number; y: number; step: number },
  size: { width: number; height: number },
): Float32Array {
  const level = Math.min(levels.length - 1, Math.max(0, Math.floor(Math.log2(window.step) + 0.05)))
  const factor = 2 ** level
  const scale = factor / window.step
  const translation: [number, number] = [(-window.x / factor) * scale, (-window.y / factor) * scale]
  const { data, inside } = resample(
    levels[level],
    { scale, rotation: 0, translation },
    { x: 0, y: 0, ...size },
  )
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] < 1) for (let c = 3 * i; c < 3 * i + 3; c++) data[c] *= inside[i]
  }
  return data
}
