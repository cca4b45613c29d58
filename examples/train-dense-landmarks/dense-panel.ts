import type { DenseNetwork } from '@facekit/annotate'
import type { DenseBatch } from '@facekit/annotate-training'
import type { PictureArray } from '@facekit/export'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const COLUMNS = 8
const ZOOM = 2
const IBUG = 68

/** A sheet of held-out pictures with the points that the network finds, or the true ones without a network: the 68 magenta, others green and, hidden, red, the
 * outline yellow. */
export async function drawDensePanel(
  [images, positions, depths, visibility]: DenseBatch,
  network?: Pick<DenseNetwork, 'apply'>,
): Promise<PictureArray> {
  const found = network?.apply(images)
  const [pixels, places, seen] = await Promise.all(
    [images, found?.positions ?? positions, visibility].map((x) => x.data()),
  )
  if (found) tf.dispose(found)
  const [count, size] = images.shape
  const [all, points] = [positions.shape[1], depths.shape[1]]
  const side = size * ZOOM
  const width = Math.min(COLUMNS, count) * side
  const data = new Uint8Array(Math.ceil(count / COLUMNS) * side * width * 3)
  for (let b = 0; b < count; b++) {
    const [left, top] = [(b % COLUMNS) * side, Math.floor(b / COLUMNS) * side]
    const at = (x: number, y: number) => ((top + y) * width + left + x) * 3
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const from = ((b * size + Math.floor(y / ZOOM)) * size + Math.floor(x / ZOOM)) * 3
        for (let c = 0; c < 3; c++) data[at(x, y) + c] = 255 * pixels[from + c]
      }
    }
    for (let k = 0; k < all; k++) {
      const [x, y] = [0, 1].map((axis) => Math.floor(places[2 * (b * all + k) + axis] * side))
      if (!(x >= 0 && y >= 0 && x < side && y < side)) continue
      data.set(colorOf(k, points, seen[b * points + k] > 0.5), at(x, y))
    }
  }
  return ndarray(data, [data.length / width / 3, width, 3])
}

function colorOf(k: number, points: number, seen: boolean): [number, number, number] {
  if (k >= points) return [255, 255, 0]
  if (k < IBUG) return [255, 0, 255]
  return seen ? [0, 255, 0] : [255, 0, 0]
}
