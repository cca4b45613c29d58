import { defineKernel, float32 } from '@facekit/kernels'
import {
  add,
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

/** `coefficients * basis + mean`; its gradient takes the basis as it lies in memory for that product. */
const linearKernel = defineKernel({
  name: 'FacekitLinearModel',
  inputs: { coefficients: 'float32', basis: 'float32', mean: 'float32', transposed: 'float32' },
  outputs: ({ coefficients: [batch], basis: [, size] }) => ({ values: float32([batch, size]) }),
  constants: ['basis', 'mean', 'transposed'],
  saves: ['transposed'],
  // One kernel where each is a pass over the GPU's memory; that of WASM takes no bias that was ever a matrix.
  webgpu: {
    operations: ({ coefficients, basis, mean }) =>
      fused.matMul({ a: coefficients as Tensor2D, b: basis as Tensor2D, bias: reshape(mean, [-1]) }),
  },
  operations: ({ coefficients, basis, mean }) =>
    add(matMul(coefficients as Tensor2D, basis as Tensor2D), mean),
  gradient: ({ upstream, saved }) => ({ coefficients: () => matMul(upstream.values, saved.transposed) }),
})

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
    return reshape(linearKernel({ coefficients, basis, mean, transposed }), shape)
  })
}
