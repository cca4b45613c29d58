import { hasHostMemory } from '@facekit/kernels'
import {
  add,
  customGrad,
  fused,
  matMul,
  mul,
  reshape,
  sum,
  tidy,
  zeros,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core'
import type { MorphableModel } from './morphable-model.js'
import { linearTensors } from './model-tensors.js'

/** `mean + coefficients * basis`: `[B, K]` to `[B, N, 3]`. */
export function evaluateLinear(
  model: MorphableModel,
  part: 'shape' | 'diffuse' | 'specular',
  coefficients: Tensor,
): Tensor3D {
  return tidy(() => {
    const batch = coefficients.shape[0]
    const linear = linearTensors(model, part)
    const shape: [number, number, number] = [batch, model.vertexCount, 3]
    // Depends on the coefficients, if only by name: a gradient with respect to them is 0, and no error.
    if (!linear.basis) {
      const nothing = coefficients.size > 0 ? mul(sum(coefficients, 1, true), 0) : zeros([batch, 1])
      return reshape(add(linear.mean, nothing), shape)
    }
    const { mean, basis, transposed } = linear
    const product = customGrad((input) => ({
      // In one kernel where each is a pass over the GPU's memory; that of WASM takes no bias that was ever a matrix.
      value: hasHostMemory()
        ? add(matMul(input as Tensor2D, basis), mean)
        : fused.matMul({ a: input as Tensor2D, b: basis, bias: reshape(mean, [-1]) }),
      gradFunc: (gradient) => matMul(gradient as Tensor2D, transposed),
    }))
    return reshape(product(coefficients), shape)
  })
}
