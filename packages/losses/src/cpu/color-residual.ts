import type { HostArray } from '@facekit/kernels'
import { WHOLE } from '../whole-pixels.js'

/** Pictures of one size, and their weights. */
export interface ResidualArrays {
  /** 3 numbers for each pixel. */
  rendered: HostArray
  inputImage: HostArray
  /** 1 number for each pixel. */
  mask: HostArray
  faceRegion: HostArray
  /** Missing: all are skin. */
  skinProbability?: HostArray | undefined
  batch: number
}

/** Adds up weights times lengths of differences, and weights, of each picture, in float64. */
export function residualForward(
  arrays: ResidualArrays,
  epsilon: number,
): { errors: number[]; weights: number[] } {
  const { rendered, inputImage, mask, faceRegion, skinProbability, batch } = arrays
  const count = mask.length / batch
  const errors: number[] = []
  const weights: number[] = []
  for (let item = 0, i = 0; item < batch; item++) {
    let error = 0
    let total = 0
    for (const end = i + count; i < end; i++) {
      let weight = mask[i] < WHOLE ? 0 : faceRegion[i]
      if (weight === 0) continue
      if (skinProbability !== undefined && !(skinProbability[i] > 0.5)) weight *= skinProbability[i]
      const r = rendered[3 * i] - inputImage[3 * i]
      const g = rendered[3 * i + 1] - inputImage[3 * i + 1]
      const b = rendered[3 * i + 2] - inputImage[3 * i + 2]
      error += weight * (Math.sqrt(r * r + g * g + b * b + epsilon * epsilon) - epsilon)
      total += weight
    }
    errors.push(error)
    weights.push(total)
  }
  return { errors, weights }
}

/** Gradient of the sum of `factors[item]` times the errors of each picture, with respect to `rendered`. */
export function residualBackward(
  arrays: ResidualArrays,
  epsilon: number,
  factors: ArrayLike<number>,
  result: HostArray,
): void {
  const { rendered, inputImage, mask, faceRegion, skinProbability, batch } = arrays
  const count = mask.length / batch
  result.fill(0)
  for (let item = 0, i = 0; item < batch; item++) {
    for (const end = i + count; i < end; i++) {
      let weight = mask[i] < WHOLE ? 0 : faceRegion[i]
      if (weight === 0) continue
      if (skinProbability !== undefined && !(skinProbability[i] > 0.5)) weight *= skinProbability[i]
      const r = rendered[3 * i] - inputImage[3 * i]
      const g = rendered[3 * i + 1] - inputImage[3 * i + 1]
      const b = rendered[3 * i + 2] - inputImage[3 * i + 2]
      const slope = (weight * factors[item]) / Math.sqrt(r * r + g * g + b * b + epsilon * epsilon)
      result[3 * i] = slope * r
      result[3 * i + 1] = slope * g
      result[3 * i + 2] = slope * b
    }
  }
}
