import { assertInRange } from '@facekit/core'
import type { TrackedFace } from './face-tracker.js'

/** Options of `smoothTrack`. */
export interface SmoothTrackOptions {
  /** Standard deviation of the window in time, pictures. Default 2. */
  reach?: number
  /** How far landmarks may be apart to count as at rest, pixels at 224: faces that moved further are not averaged. Default 1.2. */
  rest?: number
}

/** Calms a track: each face becomes the mean of those before and after it that look alike, by time and by how far the landmarks are apart (a bilateral filter;
 * Tomasi and Manduchi, ICCV 1998). A face at rest is averaged over some seven pictures, one that moves stays where it is, without lag.
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
  { reach = 2, rest = 1.2 }: SmoothTrackOptions = {},
): (TrackedFace | undefined)[] {
  assertInRange('smoothTrack: reach', reach, 1e-6)
  assertInRange('smoothTrack: rest', rest, 1e-6)
  const most = Math.ceil(3 * reach)
  return faces.map((face, i) => {
    if (!face) return undefined
    const terms: [TrackedFace, number][] = []
    for (let j = Math.max(0, i - most); j <= Math.min(faces.length - 1, i + most); j++) {
      const other = faces[j]
      if (!other) continue
      const apart = distance(landmarks[i]!, landmarks[j]!) / unit / rest
      terms.push([other, Math.exp(-0.5 * (((i - j) / reach) ** 2 + apart * apart))])
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

/** Root mean square distance of points. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return Math.sqrt((2 * sum) / a.length)
}
