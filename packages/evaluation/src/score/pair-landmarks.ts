import type { SpaceLandmarks } from '../datasets/evaluation-dataset.js'

/** Positions of the given landmarks, of 68, in their order; nothing where one is not known. */
export function pickLandmarks(
  { which, positions }: SpaceLandmarks,
  wanted: readonly number[],
): Float64Array | undefined {
  const rows = wanted.map((landmark) => which.indexOf(landmark))
  if (rows.includes(-1)) return undefined
  return Float64Array.from(rows.flatMap((row) => [0, 1, 2].map((c) => positions[row * 3 + c])))
}

/** The landmarks that both have; nothing where there are fewer than three. */
export function pairLandmarks(prediction: SpaceLandmarks | undefined, truth: SpaceLandmarks) {
  const which = truth.which.filter((landmark) => prediction?.which.includes(landmark))
  if (!prediction || which.length < 3) return undefined
  return {
    which,
    prediction: pickLandmarks(prediction, which)!,
    truth: pickLandmarks(truth, which)!,
  }
}
