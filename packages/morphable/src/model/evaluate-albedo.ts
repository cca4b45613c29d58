import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core'
import { assertCoefficients } from './assert-coefficients.js'
import { evaluateLinear } from './linear-model.js'
import type { MorphableModel } from './morphable-model.js'

/** Diffuse and specular albedo of faces, both driven by the same coefficients.
 *
 * T_d = mean_d + M_d albedo,   T_s = mean_s + M_s albedo                  (MM '22 paper, Eq. 2)
 *
 * The paper applies its gamma to the sum; here albedo stays linear, and pictures are encoded after shading.
 *
 * @param albedo - `[B, Kt]` in standard deviations
 * @returns `[B, N, 3]` each, linear RGB; not clamped, extreme coefficients can leave 0..1
 * @differentiable albedo
 * @memory the caller owns the results; the bases stay on the backend until `disposeModel(model)`
 * @throws {ShapeError} when the coefficients do not fit `model.layout`
 */
export function evaluateAlbedo(
  model: MorphableModel,
  albedo: Tensor,
): { diffuse: Tensor3D; specular: Tensor3D } {
  assertCoefficients('evaluateAlbedo', model, { albedo })
  return {
    diffuse: evaluateLinear(model, 'diffuse', albedo),
    specular: evaluateLinear(model, 'specular', albedo),
  }
}
