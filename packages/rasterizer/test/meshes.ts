import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'

/** Clip-space tensor `[1, N, 4]` of points given in pixels (x, y, z_ndc, w). */
export function clipFromPixels(
  points: readonly (readonly number[])[],
  width: number,
  height: number,
): tf.Tensor3D {
  const rows = points.map(([px, py, z = 0, w = 1]) => [
    ((2 * px) / width - 1) * w,
    (1 - (2 * py) / height) * w,
    z * w,
    w,
  ])
  return tf.tensor3d([rows])
}

/** Plain arrays of a picture of ids: `[H][W]`. */
export function rows(values: ArrayLike<number>, width: number): number[][] {
  const result: number[][] = []
  for (let i = 0; i < values.length; i += width)
    result.push(Array.from({ length: width }, (_, k) => values[i + k]))
  return result
}

/** A triangulated disc fan or jittered grid that covers a convex region once. */
export function jitteredGrid(cells: number, size: number, seed: number) {
  const random = createRandom(seed)
  const points: number[][] = []
  const quarter = () => Math.round(random.uniform(-0.3, 0.3) * (size / cells) * 4) / 4
  for (let j = 0; j <= cells; j++) {
    for (let i = 0; i <= cells; i++) {
      const inside = i > 0 && j > 0 && i < cells && j < cells
      // Coordinates at quarters of a pixel put many vertices and edges exactly on pixel centres.
      points.push([
        Math.round((i / cells) * size * 4) / 4 + (inside ? quarter() : 0),
        Math.round((j / cells) * size * 4) / 4 + (inside ? quarter() : 0),
      ])
    }
  }
  const triangles: number[] = []
  for (let j = 0; j < cells; j++) {
    for (let i = 0; i < cells; i++) {
      const a = j * (cells + 1) + i
      const b = a + 1
      const c = a + cells + 1
      const d = c + 1
      const split = random.integer(2) === 0 ? [a, b, c, b, d, c] : [a, b, d, a, d, c]
      for (let k = 0; k < 6; k += 3) {
        // Any winding and any first vertex: the result must not depend on it.
        const turn = random.integer(3)
        const t = [0, 1, 2].map((m) => split[k + ((m + turn) % 3)])
        triangles.push(...(random.integer(2) === 0 ? t : [t[0], t[2], t[1]]))
      }
    }
  }
  return { points, triangles: Int32Array.from(triangles) }
}

/** The dome of the benchmarks: a grid on the front of a unit sphere. */
export function dome(side: number) {
  const clip: number[] = []
  const triangles: number[] = []
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const u = -1.2 + (2.4 * i) / (side - 1)
      const v = -1.2 + (2.4 * j) / (side - 1)
      const z = Math.cos(u) * Math.cos(v) - 5
      clip.push(Math.sin(u) * Math.cos(v) * 3.2, Math.sin(v) * 3.2, -z * 1.02 - 0.2, -z)
    }
  }
  for (let j = 0; j < side - 1; j++) {
    for (let i = 0; i < side - 1; i++) {
      const a = j * side + i
      triangles.push(a, a + 1, a + side, a + 1, a + 1 + side, a + side)
    }
  }
  return { clip: Float32Array.from(clip), vertexCount: side * side, triangles: Int32Array.from(triangles) }
}
