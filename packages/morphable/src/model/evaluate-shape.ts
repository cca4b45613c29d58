import { concat, tidy, type Tensor, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertCoefficients } from './assert-coefficients.js'
import { evaluateLinear } from './linear-model.js'
import type { MorphableModel } from './morphable-model.js'

/** Vertices of faces.
 *
 * S = mean + B_id identity + B_exp expression                             (MM '22 paper, Eq. 1)
 *
 * @param coefficients - identity `[B, Ki]` and expression `[B, Ke]`, in standard deviations
 * @returns `[B, N, 3]` mm, model space (right-handed, x to the right of the picture, y up, z out of the face)
 * @differentiable identity, expression
 * @memory the caller owns the result; the bases stay on the backend until
 * `disposeModel(model)`
 * @throws {ShapeError} when the coefficients do not fit `model.layout`
 */
export function evaluateShape(
  model: MorphableModel,
  coefficients: { identity: Tensor; expression: Tensor },
): Tensor3D {
  const { identity, expression } = coefficients
  assertCoefficients('evaluateShape', model, { identity, expression })
  return tidy(() => {
    const parts = [identity, expression].filter(({ size }) => size > 0)
    return evaluateLinear(model, 'shape', parts.length > 1 ? concat(parts, 1) : (parts[0] ?? identity))
  })
}
