import type { Raster } from '../pictures/resample.js'
import type { Box } from './box.js'

/** A square of a picture that a detector sees, in pixels of the picture. */
export interface DetectorView {
  x: number
  y: number
  size: number
  /** How the faces in it may be turned: by so many quarter turns, clockwise. The network sees the square turned back. */
  quarterTurns: number
}

// Contributor notes. Of faces 25 of its 512 pixels wide the SSD finds 19 of 20, of 20 pixels 9 of 10, of 16 pixels 8 of 10, of 13 pixels 8 of 10 (with
// half of the boxes off). A tile of 2 pixels of the picture for each of the network's finds faces of 50 pixels, and costs 20 forward passes for
// 3,900 x 2,900 pixels. Where the whole picture is not much coarser than that, tiles would only repeat it.
/** Pixels of the picture for each pixel of the network in the finest tiles. */
const FINEST = 2
/** Tiles are worth their time where the next coarser view is coarser by more than this. */
const WORTHWHILE = 2
/** From one level of tiles to the next, in widths: a face too wide for a tile's overlap is at least 20 pixels wide for the next coarser level. */
const LEVEL = 6
/** Share of a tile that its neighbour shows too. */
const OVERLAP = 0.25
/** Most tiles of one level. Only strips of absurd proportions, and more than half a gigapixel, have more. */
const MOST_TILES = 512

/** The whole picture, made square. */
export const wholeView = ({ width, height }: Raster, quarterTurns = 0): DetectorView => {
  const size = Math.max(width, height)
  // Turned, the picture keeps its middle.
  return quarterTurns === 0
    ? { x: 0, y: 0, size, quarterTurns }
    : { x: (width - size) / 2, y: (height - size) / 2, size, quarterTurns }
}

/** The whole picture with a margin around it, in widths of the picture. */
export const marginView = ({ width, height }: Raster, factor: number): DetectorView => {
  const size = factor * Math.max(width, height)
  return { x: (width - size) / 2, y: (height - size) / 2, size, quarterTurns: 0 }
}

/** Overlapping tiles of a large picture, fine enough for faces of 50 pixels; none of a picture that the whole view shows as finely. */
export function fineTiles(raster: Raster, inputSize: number): DetectorView[] {
  const longer = Math.max(raster.width, raster.height)
  const views: DetectorView[] = []
  for (let size = FINEST * inputSize, least = WORTHWHILE; longer > least * size; size *= LEVEL, least = 1.1) {
    views.push(...tiles(raster, Math.ceil(size)))
  }
  return views
}

/** Overlapping squares of half the picture's longer side, for a picture in which nothing was found. */
export function halfTiles(raster: Raster, inputSize: number): DetectorView[] {
  const shorter = Math.min(raster.width, raster.height)
  const size = Math.min(shorter, Math.ceil(Math.max(raster.width, raster.height) / 2))
  return size > inputSize / 2 && size <= FINEST * inputSize ? tiles(raster, size) : []
}

function tiles({ width, height }: Raster, size: number): DetectorView[] {
  const starts = (length: number) => {
    if (length <= size) return [0]
    const count = Math.ceil((length - size) / (size * (1 - OVERLAP))) + 1
    return Array.from({ length: count }, (_, i) => (i * (length - size)) / (count - 1))
  }
  const views = starts(height).flatMap((y) => starts(width).map((x) => ({ x, y, size, quarterTurns: 0 })))
  return views.length <= MOST_TILES ? views : []
}

/** A box in widths of the view as the network sees it, in pixels of the picture. */
export function boxInPicture(box: Box, { x, y, size, quarterTurns }: DetectorView): Box {
  // About the view's centre; a turn takes right to down.
  let [u, v] = [box.x + box.width / 2 - 0.5, box.y + box.height / 2 - 0.5]
  for (let turn = 0; turn < quarterTurns; turn++) [u, v] = [-v, u]
  const [width, height] = quarterTurns % 2 === 0 ? [box.width, box.height] : [box.height, box.width]
  return {
    x: x + (u + 0.5 - width / 2) * size,
    y: y + (v + 0.5 - height / 2) * size,
    width: width * size,
    height: height * size,
  }
}

/** Whether a side of the view, inside of the picture, cuts the box: another view shows all of such a face. */
export function cutByView(box: Box, { x, y, size }: DetectorView, { width, height }: Raster): boolean {
  const margin = 0.01 * size
  return (
    (x > 0 && box.x < x + margin) ||
    (y > 0 && box.y < y + margin) ||
    (x + size < width && box.x + box.width > x + size - margin) ||
    (y + size < height && box.y + box.height > y + size - margin)
  )
}
