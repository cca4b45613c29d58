import { applySimilarity3d, type fitSimilarity3d } from '@facekit/mesh'
import type { MouthModel } from './mouth-model.js'

type Similarity = ReturnType<typeof fitSimilarity3d>

/** What is inside of one person's mouth. */
export interface MouthCompletion {
  /** `[V * 3]` mm, in the space of the face at rest. */
  vertices: Float32Array
  model: MouthModel
  /** How it goes with a movement of the face: teeth and tongue by expressions of the jaw, the edge of the socket with the lips.
   *
   * @param offsets - `[N * 3]` of the face
   * @param amounts - `[5]` of each of the model's motions
   * @returns `[V * 3]`
   */
  follow(offsets: ArrayLike<number>, amounts: ArrayLike<number>): Float32Array
}

/** Puts teeth, gums, tongue and socket into a head: where its modes have them, the edge of the socket on the lips.
 *
 * @param amounts - `[R]` how far each mode of the head is on
 * @param toMean - from the face to the mean face's space
 * @param lips - `[L * 3]` mm, where the person has the edge of the lips, in the mean face's space
 */
export function placeMouth(
  model: MouthModel,
  amounts: ArrayLike<number>,
  toMean: Similarity,
  lips: ArrayLike<number>,
): MouthCompletion {
  const { mean, lipsMean, affine, jaw, reach, nearest, shares, motions, motionNames } = model
  const told = (points: ArrayLike<number>) => {
    const moved = Float64Array.from(points)
    const total = affine[0].map((_, i) => affine.reduce((sum, row, k) => sum + amounts[k] * row[i], 0))
    addAffine(moved, points, total)
    return moved
  }
  const there = told(mean)
  const off = told(lipsMean).map((value, i) => lips[i] - value)
  for (let v = 0; v < nearest.length; v++)
    for (let c = 0; c < 3; c++) there[3 * v + c] += shares[v] * off[3 * nearest[v] + c]
  const back = inverseSimilarity(toMean)
  const turn = { ...back, scale: 1, translation: [0, 0, 0] as [number, number, number] }
  return {
    vertices: Float32Array.from(applySimilarity3d(back, there)),
    model,
    follow(offsets, byMotion) {
      const moved = new Float64Array(mean.length)
      motions.forEach((motion, m) => {
        if (byMotion[m] !== 0) {
          const shares = motionNames[m] === 'tongueOut' ? reach : jaw
          addAffine(moved, mean, motion, (v) => byMotion[m] * shares[v])
        }
      })
      const result = Float32Array.from(applySimilarity3d(turn, moved))
      for (let v = 0; v < nearest.length; v++) {
        const lip = model.lips[nearest[v]]
        for (let c = 0; c < 3; c++) {
          const i = 3 * v + c
          result[i] += shares[v] * (offsets[3 * lip + c] - result[i])
        }
      }
      return result
    },
  }
}

/** Adds to each of `moved` what an affine function moves that point by. */
function addAffine(
  moved: Float64Array,
  points: ArrayLike<number>,
  f: ArrayLike<number>,
  share: (v: number) => number = () => 1,
): void {
  for (let p = 0; p < moved.length; p += 3)
    for (let c = 0; c < 3; c++)
      moved[p + c] +=
        share(p / 3) *
        (f[3 * c] * points[p] + f[3 * c + 1] * points[p + 1] + f[3 * c + 2] * points[p + 2] + f[9 + c])
}

/** The similarity that undoes one. */
export function inverseSimilarity({ scale, rotation: r, translation: t }: Similarity): Similarity {
  const rotation = [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]]
  const back = (k: number) =>
    -(rotation[3 * k] * t[0] + rotation[3 * k + 1] * t[1] + rotation[3 * k + 2] * t[2]) / scale
  return { scale: 1 / scale, rotation, translation: [back(0), back(1), back(2)] }
}
