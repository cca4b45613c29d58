import ndarray from 'ndarray'
import type { MorphableModel } from '../model/morphable-model.js'
import type { LinearPart } from './statismo.js'

/** Exponent between the colours of a file and linear RGB; the paper's own. */
const GAMMA = 2.2
/** F0 of skin, where the file says nothing about highlights. */
const SPECULAR = 0.04

/** Colours with gamma as linear albedo, to first order around the mean, in place: the mean becomes mean^2.2, and each mode its
 * derivative there.
 *
 * @param part - encoded colours in 0..1
 */
export function linearColors({ mean, basis }: LinearPart): MorphableModel['albedo'] {
  const size = mean.data.length
  const slope = new Float32Array(size)
  for (let i = 0; i < size; i++) {
    // Beyond 0..1 there is no colour; at 0 no mode could ever leave black.
    const value = Math.min(1, Math.max(0.02, mean.data[i]))
    mean.data[i] = value ** GAMMA
    slope[i] = GAMMA * value ** (GAMMA - 1)
  }
  for (let start = 0; start < basis.data.length; start += size) {
    for (let i = 0; i < size; i++) basis.data[start + i] *= slope[i]
  }
  return {
    diffuseMean: mean,
    diffuse: basis,
    specularMean: ndarray(new Float32Array(size).fill(SPECULAR), [...mean.shape]),
    specular: ndarray(new Float32Array(basis.data.length), [...basis.shape]),
  }
}
