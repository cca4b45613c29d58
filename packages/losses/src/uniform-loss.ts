import {
  add,
  div,
  getBackend,
  mean,
  square,
  sub,
  sum,
  tidy,
  type Scalar,
  type Tensor,
  type Tensor3D,
} from '@tensorflow/tfjs-core'
import { assertShape } from '@facekit/core'
import { type HostArray, type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import { uniformLossGradientOnGpu, uniformLossOnGpu } from './gpu-uniform-loss.js'

const gradientKernel: HostKernel = {
  name: 'FacekitUniformLossGradient',
  inputs: ['lit', 'harmonics', 'means', 'upstream'],
  outputs: (shapes) => shapes.slice(0, 2).map((shape) => ({ shape, dtype: 'float32' })),
  compute([lit, harmonics, means, upstream], [toLit, toHarmonics], [[batch, count]]) {
    const factor = (2 * upstream[0]) / batch
    for (let item = 0, i = 0; item < batch; item++) {
      for (const end = i + 3 * count; i < end; i += 3) {
        for (let c = 0; c < 3; c++) toLit[i + c] = (factor / count) * (lit[i + c] - means[3 * item + c])
      }
    }
    for (let i = 0; i < harmonics.length; i += 3) {
      const grey = greyOf(harmonics, i)
      for (let c = 0; c < 3; c++) toHarmonics[i + c] = factor * (harmonics[i + c] - grey)
    }
  },
  webgpu: uniformLossGradientOnGpu,
}

const greyOf = (harmonics: HostArray, i: number) => (harmonics[i] + harmonics[i + 1] + harmonics[i + 2]) / 3

const kernel: HostKernel = {
  name: 'FacekitUniformLoss',
  inputs: ['lit', 'harmonics'],
  outputs: ([[batch]]) => [
    { shape: [], dtype: 'float32' },
    { shape: [batch, 3], dtype: 'float32' },
  ],
  compute([lit, harmonics], [loss, means], [[batch, count]]) {
    let total = 0
    for (let item = 0; item < batch; item++) {
      for (let c = 0; c < 3; c++) {
        const [start, end] = [3 * item * count + c, 3 * (item + 1) * count]
        let sum = 0
        for (let i = start; i < end; i += 3) sum += lit[i]
        const average = sum / count
        means[3 * item + c] = average
        let squares = 0
        for (let i = start; i < end; i += 3) squares += (lit[i] - average) ** 2
        total += squares / count
      }
    }
    for (let i = 0; i < harmonics.length; i += 3) {
      const grey = greyOf(harmonics, i)
      for (let c = 0; c < 3; c++) total += (harmonics[i + c] - grey) ** 2
    }
    loss[0] = total / batch
  },
  webgpu: uniformLossOnGpu,
  missingUpstream: 'undefined',
  gradient: {
    inputsToSave: ['lit', 'harmonics'],
    outputsToSave: [false, true],
    gradFunc: (upstream, [lit, harmonics, means]) => {
      const inputs = { lit, harmonics, means, upstream: (upstream as Tensor[])[0] }
      const gradients = tidy(() => runHostKernel(gradientKernel, inputs, {}))
      return { lit: () => gradients[0], harmonics: () => gradients[1] }
    },
  },
}

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
  const { B, N } = known
  if (N > 0 && (hasHostMemory() || getBackend() === 'webgpu')) {
    const [loss, means] = runHostKernel(kernel, { lit: litDiffuse, harmonics: sphericalHarmonics }, {})
    means.dispose()
    return loss as Scalar
  }
  return tidy(() => {
    const colorDeviation = sub(litDiffuse, mean(litDiffuse, 1, true))
    const lightDeviation = sub(sphericalHarmonics, mean(sphericalHarmonics, 2, true))
    const color = div(sum(square(colorDeviation)), Math.max(1, N))
    return div(add(color, sum(square(lightDeviation))), B) as Scalar
  })
}
