import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { type HostArray, type HostKernel, runHostKernel } from '@facekit/kernels'
import { aliasOf } from '../detach.js'
import {
  samplePyramidCoordinateGradientOnGpu,
  samplePyramidOnGpu,
  samplePyramidTexelGradientOnGpu,
} from '../webgpu/texture/sample-texture.js'
import { lookUp, lookUpCoordinateGradient, lookUpTexelGradient, type TextureScene } from './texture-arrays.js'
import type { SampleAttributes } from './sample-texture.js'
import { texelCount, textureLevels } from './texture-levels.js'

const sceneOf = (
  uv: HostArray,
  derivatives: HostArray,
  batch: number,
  { shape: [textures, rows, columns, channels], wrap, lowerLeft }: SampleAttributes,
): TextureScene => {
  const levels = textureLevels(rows, columns)
  return {
    uv: uv as Float32Array,
    derivatives: derivatives as Float32Array,
    levels,
    texels: texelCount(levels),
    textures,
    channels,
    batch,
    wrap,
    lowerLeft,
  }
}

const texelGradientKernel: HostKernel<SampleAttributes> = {
  name: 'FacekitSamplePyramidTexelGradient',
  inputs: ['uv', 'derivatives', 'upstream'],
  outputs: (_, { shape: [textures, rows, columns, channels] }) => [
    { shape: [textures, texelCount(textureLevels(rows, columns)), channels], dtype: 'float32' },
  ],
  compute([uv, derivatives, upstream], [gradient], [[batch]], attributes) {
    const scene = sceneOf(uv, derivatives, batch, attributes)
    lookUpTexelGradient(scene, upstream as Float32Array, gradient as Float32Array)
  },
  webgpu: samplePyramidTexelGradientOnGpu,
}

const coordinateGradientKernel: HostKernel<SampleAttributes> = {
  name: 'FacekitSamplePyramidCoordinateGradient',
  inputs: ['pyramid', 'uv', 'derivatives', 'upstream'],
  outputs: ([, uv]) => [{ shape: uv, dtype: 'float32' }],
  compute([pyramid, uv, derivatives, upstream], [gradient], [, [batch]], attributes) {
    lookUpCoordinateGradient(
      sceneOf(uv, derivatives, batch, attributes),
      pyramid as Float32Array,
      upstream as Float32Array,
      gradient as Float32Array,
    )
  },
  webgpu: samplePyramidCoordinateGradientOnGpu,
}

const kernel: HostKernel<SampleAttributes> = {
  name: 'FacekitSamplePyramid',
  inputs: ['pyramid', 'uv', 'derivatives'],
  outputs: ([, uv], { shape }) => [{ shape: [...uv.slice(0, 3), shape[3]], dtype: 'float32' }],
  compute([pyramid, uv, derivatives], [output], [, [batch]], attributes) {
    lookUp(sceneOf(uv, derivatives, batch, attributes), pyramid as Float32Array, output as Float32Array)
  },
  webgpu: samplePyramidOnGpu,
  gradient: {
    inputsToSave: ['pyramid', 'uv', 'derivatives'],
    gradFunc: (dy, [pyramid, uv, derivatives], attrs) => {
      const upstream = dy as Tensor
      const attributes = attrs as unknown as SampleAttributes
      return {
        pyramid: () => runHostKernel(texelGradientKernel, { uv, derivatives, upstream }, attributes)[0],
        uv: () =>
          runHostKernel(coordinateGradientKernel, { pyramid, uv, derivatives, upstream }, attributes)[0],
      }
    },
  },
}

/** Looks colours up in a pyramid of `texturePyramid`, between the two levels that fit the derivatives.
 *
 * @differentiable pyramid, uv; not through derivatives
 * @memory the caller owns the result
 */
export function samplePyramid(
  pyramid: Tensor3D,
  uv: Tensor4D,
  derivatives: Tensor4D,
  attributes: SampleAttributes,
): Tensor4D {
  const untracked = aliasOf(derivatives)
  const [output] = runHostKernel(kernel, { pyramid, uv, derivatives: untracked }, attributes)
  untracked.dispose()
  return output as Tensor4D
}
