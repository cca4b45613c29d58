import { assertShape } from '@facekit/core'
import { defineKernel, float32, float32Like } from '@facekit/kernels'
import { add, div, mean, square, sub, sum, type Scalar, type Tensor3D } from '@tensorflow/tfjs-core'
import { uniformBackward, uniformForward } from './cpu/uniform-loss.js'
import { uniformLossGradientOnGpu, uniformLossOnGpu } from './webgpu/uniform-loss.js'

const gradientKernel = defineKernel({
  name: 'FacekitUniformLossGradient',
  inputs: { lit: 'float32', harmonics: 'float32', means: 'float32', upstream: 'float32' },
  outputs: (shapes) => float32Like(shapes, ['lit', 'harmonics']),
  cpu: (inputs, gradients, { lit: [batch, count] }) => uniformBackward(inputs, { batch, count }, gradients),
  webgpu: (backend, inputs, gradients) => uniformLossGradientOnGpu(backend, inputs, gradients),
})

const kernel = defineKernel({
  name: 'FacekitUniformLoss',
  inputs: { lit: 'float32', harmonics: 'float32' },
  outputs: () => ({ loss: float32([]) }),
  keeps: ({ lit: [batch] }) => ({ means: float32([batch, 3]) }),
  saves: ['lit', 'harmonics'],
  cpu: ({ lit, harmonics }, { loss, means }, { lit: [batch, count] }) =>
    uniformForward(lit, harmonics, { batch, count }, loss, means),
  webgpu: (backend, inputs, outputs) => uniformLossOnGpu(backend, inputs, outputs),
  operations({ lit, harmonics }) {
    const [batch, count] = lit.shape
    const colorDeviation = sub(lit, mean(lit, 1, true))
    const lightDeviation = sub(harmonics, mean(harmonics, 2, true))
    const color = div(sum(square(colorDeviation)), Math.max(1, count))
    return div(add(color, sum(square(lightDeviation))), batch)
  },
  recordsOperations: true,
  gradient: ({ upstream, saved }) => gradientKernel({ ...saved, upstream: upstream.loss }),
})

/** How uneven the lit diffuse albedo is, and how coloured its light: leaves what varies to the specular part.
 *
 * L_uniform = 1 / |T| sum_i |t_i - t_mean|^2 + sum_b sum_c (lambda_bc - mean_c lambda_b)^2      (MM '22 paper, Eq. 13)
 *
 * The paper prints the deviations without a square, with which both sums are always 0. t_mean is the mean colour of a
 * picture's vertices, the square is summed over its three channels; the mean of a harmonic's coefficients is over its
 * three channels, so that white light costs nothing.
 *
 * @param litDiffuse - `[B, N, 3]` t, diffuse albedo times irradiance of each vertex, linear RGB
 * @param sphericalHarmonics - `[B, 9, 3]` lambda, linear RGB
 * @returns scalar, mean over the pictures
 * @differentiable both
 * @memory the caller owns the result
 * @throws {ShapeError} when a shape is wrong
 * @example
 * // Two vertices, [1, 0, 0] and [0, 0, 0], white light: mean [0.5, 0, 0], (0.25 + 0.25) / 2 = 0.25
 */
export function uniformLoss(litDiffuse: Tensor3D, sphericalHarmonics: Tensor3D): Scalar {
  const known = assertShape('uniformLoss: litDiffuse', litDiffuse, ['B', 'N', 3])
  assertShape('uniformLoss: sphericalHarmonics', sphericalHarmonics, ['B', 9, 3], known)
  // Of no vertices there is no mean.
  const run = known.N > 0 ? kernel : kernel.byOperations
  return run({ lit: litDiffuse, harmonics: sphericalHarmonics })
}
