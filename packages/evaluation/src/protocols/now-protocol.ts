import { ShapeError, ValueError } from '@facekit/core'
import { applySimilarity3d, type Similarity3d, type Surface } from '@facekit/mesh'
import { alignIcp, rowsOf } from '../measures/align-icp.js'
import { alignLandmarks, withScale } from '../measures/align-landmarks.js'
import { pointToSurface } from '../measures/surface-distances.js'
import { summarize, type Summary } from '../measures/summarize.js'

/** Which of the 68 landmarks NoW's seven are: outer and inner corner of the right eye, inner and outer of the left, bottom of the nose, corners of the
 * mouth. */
export const nowLandmarks: readonly number[] = Object.freeze([36, 39, 42, 45, 33, 48, 54])

/** What `nowErrors` compares. */
export interface NowInput {
  /** The scan, mm. */
  scan: Surface
  /** `[7 * 3]` its landmarks, mm. */
  scanLandmarks: ArrayLike<number>
  prediction: Surface
  /** `[7 * 3]` landmarks of the prediction. */
  predictionLandmarks: ArrayLike<number>
  /** The metric variant: the prediction is in mm and keeps its size. Default false: its scale is found. */
  metric?: boolean
}

/** What `nowErrors` gives. */
export interface NowErrors {
  /** Distance of each vertex of the cropped scan from the prediction, mm. */
  distances: Float64Array
  summary: Summary
  /** Takes the prediction to the scan. */
  similarity: Similarity3d
  /** Vertices of the scan that counted. */
  vertices: Int32Array
}

/** The part of a scan that NoW looks at: a ball around a point 0.3 of the way from the bottom of the nose to the middle between the inner corners of the
 * eyes, with 0.7 times the sum of that way and the distance of the outer corners as its radius.
 *
 * @param landmarks - `[7 * 3]`
 */
export function nowRegion(landmarks: ArrayLike<number>): {
  center: [number, number, number]
  radius: number
} {
  if (landmarks.length !== 21)
    throw new ShapeError(`nowRegion: ${landmarks.length / 3} landmarks, expected 7 in space`)
  const at = (i: number) => [landmarks[i * 3], landmarks[i * 3 + 1], landmarks[i * 3 + 2]]
  const bottom = at(4)
  const bridge = at(1).map((value, k) => (value + at(2)[k]) / 2)
  const eyes = Math.hypot(...at(0).map((value, k) => value - at(3)[k]))
  const nose = Math.hypot(...bridge.map((value, k) => value - bottom[k]))
  return {
    center: bottom.map((value, k) => value + 0.3 * (bridge[k] - value)) as [number, number, number],
    radius: 0.7 * (eyes + nose),
  }
}

/** The protocol of the NoW challenge (Sanyal et al., CVPR 2019; scripts of 2025), step by step.
 *
 * The scan is cropped (`nowRegion`); the prediction is brought to it by a similarity of seven landmarks, then by the similarity with the least
 * sum of squared distances from the scan's vertices to the prediction's surface; the errors are those distances: one direction only.
 *
 * Where it differs from the scripts: a mirrored prediction is refused (`procrustes` there may reflect); the least squares are solved by
 * Gauss-Newton until nothing changes where the scripts take a trust region's steps until a loose bound; and the start of the metric variant has the
 * translation that belongs to its size (there it is the one of the scaled landmarks).
 *
 * @throws {ShapeError} when there are not seven landmarks
 * @throws {ValueError} when the prediction is mirrored, or no vertex of the scan lies in the region: landmarks beside the scan, or in another unit
 */
export function nowErrors({ scan, prediction, metric = false, ...landmarks }: NowInput): NowErrors {
  const { scanLandmarks, predictionLandmarks } = landmarks
  const { center, radius } = nowRegion(scanLandmarks)
  const vertices = verticesWithin(scan, center, radius)
  if (vertices.length < 100)
    throw new ValueError(
      `nowErrors: ${vertices.length} vertices of the scan lie within ${radius.toFixed(1)} mm of its face's middle, expected at least 100; are its landmarks in its space and unit?`,
    )
  const byLandmarks = alignLandmarks(predictionLandmarks, scanLandmarks, { who: 'nowErrors' })
  const start = metric ? withScale(byLandmarks, 1, predictionLandmarks, scanLandmarks) : byLandmarks
  const { similarity } = alignIcp(prediction, scan, {
    start,
    vertices,
    metric: 'surface',
    ...(metric ? { scale: 'none' as const } : { scale: { least: 0.5, most: 2 } }),
    border: true,
    iterations: 100,
    tolerance: 1e-7,
  })
  const moved = {
    positions: applySimilarity3d(similarity, prediction.positions),
    triangles: prediction.triangles,
  }
  const distances = pointToSurface(rowsOf(scan.positions, vertices), moved)
  return { distances, summary: summarize(distances), similarity, vertices }
}

/** Vertices of a mesh inside of a ball, in their order; those that no triangle names too, as scans have them. */
export function verticesWithin(
  { positions }: Surface,
  center: ArrayLike<number>,
  radius: number,
): Int32Array {
  const found: number[] = []
  for (let i = 0; i * 3 < positions.length; i++) {
    const distance = Math.hypot(
      positions[i * 3] - center[0],
      positions[i * 3 + 1] - center[1],
      positions[i * 3 + 2] - center[2],
    )
    if (distance <= radius) found.push(i)
  }
  return Int32Array.from(found)
}
