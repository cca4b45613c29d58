import { assertInRange } from '@facekit/core'
import type { TrackedFace } from './face-tracker.js'

/** Options of `smoothTrack`. */
export interface SmoothTrackOptions {
  /** Standard deviation of the window in time, pictures. Default 3. */
  reach?: number
  /** How far landmarks may be apart to count as at rest, pixels at 224: faces that moved further are not averaged. Default 1.2. */
  rest?: number
}

/** Calms a track: each face becomes the mean of those before and after it that look alike, by time and by how far the landmarks are apart beyond what noise alone
 * explains (a bilateral filter, Tomasi and Manduchi, ICCV 1998, with the noise's share of the distances taken out, Buades et al., CVPR 2005). A face at rest is
 * averaged over some ten pictures, one that moves stays where it is, without lag. The noise is that of the whole track: the lower quartile of how far
 * landmarks are from the middle between the pictures before and after.
 *
 * @param faces - picture by picture; undefined where the face was lost
 * @param landmarks - `[68 * 2]` of each, in any unit
 * @param unit - length of a pixel of a crop of 224 in the unit of the landmarks
 * @throws {ValueError} when an option is not positive
 */
export function smoothTrack(
  faces: readonly (TrackedFace | undefined)[],
  landmarks: readonly (ArrayLike<number> | undefined)[],
  unit: number,
  { reach = 3, rest = 1.2 }: SmoothTrackOptions = {},
): (TrackedFace | undefined)[] {
  assertInRange('smoothTrack: reach', reach, 1e-6)
  assertInRange('smoothTrack: rest', rest, 1e-6)
  const most = Math.ceil(2.5 * reach)
  const noise = trembling(landmarks)
  return faces.map((face, i) => {
    if (!face) return undefined
    const terms: [TrackedFace, number][] = []
    for (let j = Math.max(0, i - most); j <= Math.min(faces.length - 1, i + most); j++) {
      const other = faces[j]
      if (!other) continue
      // Two noisy faces are apart by twice the noise's variance.
      const apart =
        Math.max(0, squaredDistance(landmarks[i]!, landmarks[j]!) - 2 * noise) / (unit * rest) ** 2
      terms.push([other, Math.exp(-0.5 * (((i - j) / reach) ** 2 + apart))])
    }
    const total = terms.reduce((sum, [, weight]) => sum + weight, 0)
    const mean = (of: (face: TrackedFace) => number) =>
      terms.reduce((sum, [other, weight]) => sum + weight * of(other), 0) / total
    const vector = (of: (face: TrackedFace) => readonly number[]) =>
      [0, 1, 2].map((axis) => mean((other) => of(other)[axis])) as [number, number, number]
    return {
      // Those that count are a few degrees apart at most.
      rotation: vector(({ rotation }) => rotation),
      translation: vector(({ translation }) => translation),
      scale: Math.exp(mean(({ scale }) => Math.log(scale))),
      expression: face.expression.map((_, k) => mean(({ expression }) => expression[k])),
      misfit: face.misfit,
    }
  })
}

/** Variance of a landmark's place about its path, of which second differences hold six times as much; 0 for tracks too short to tell. */
function trembling(landmarks: readonly (ArrayLike<number> | undefined)[]): number {
  const found: number[] = []
  for (let i = 1; i + 1 < landmarks.length; i++) {
    const [before, here, after] = landmarks.slice(i - 1, i + 2)
    if (!before || !here || !after) continue
    const middle = Array.from(before, (value, k) => (value + after[k]) / 2)
    found.push(squaredDistance(here, middle) / 1.5)
  }
  return found.toSorted((a, b) => a - b)[Math.floor(found.length / 4)] ?? 0
}

/** Mean squared distance of points. */
function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return (2 * sum) / a.length
}
