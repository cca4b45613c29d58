import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { type HostKernel, runHostKernel } from '@facekit/kernels'
import { texturePyramidOnGpu } from '../webgpu/texture/texture-pyramid.js'
import { texturePyramidGradientOnGpu } from '../webgpu/texture/texture-pyramid-gradient.js'
import { buildPyramid, pyramidGradient } from './pyramid-arrays.js'
import { texelCount, textureLevels } from './texture-levels.js'

interface Attributes {
  /** Shape of the texture, `[B, Ht, Wt, C]`. */
  shape: number[]
}

const gradientKernel: HostKernel<Attributes> = {
  name: 'FacekitTexturePyramidGradient',
  inputs: ['upstream'],
  outputs: (_, { shape }) => [{ shape, dtype: 'float32' }],
  compute([upstream], [gradient], _shapes, { shape }) {
    pyramidGradient(shape, upstream as Float32Array, gradient as Float32Array)
  },
  webgpu: texturePyramidGradientOnGpu,
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitTexturePyramid',
  inputs: ['texture'],
  outputs: ([[batch, rows, columns, channels]]) => [
    { shape: [batch, texelCount(textureLevels(rows, columns)), channels], dtype: 'float32' },
  ],
  compute([texture], [pyramid], _shapes, { shape }) {
    buildPyramid(shape, texture as Float32Array, pyramid as Float32Array)
  },
  webgpu: texturePyramidOnGpu,
  gradient: {
    gradFunc: (upstream, _saved, attributes) => ({
      texture: () =>
        runHostKernel(
          gradientKernel,
          { upstream: upstream as Tensor },
          attributes as unknown as Attributes,
        )[0],
    }),
  },
}

/** All levels of a texture `[B, Ht, Wt, C]` in one tensor `[B, T, C]`, one after the other, row by row; see `textureLevels`.
 *
 * A texel is the mean of the area that it covers on the level before: with an odd number of rows or columns, of parts of texels.
 *
 * @differentiable texture
 * @memory the caller owns the result
 */
export function texturePyramid(texture: Tensor4D): Tensor3D {
  return runHostKernel(kernel, { texture }, { shape: texture.shape })[0] as Tensor3D
}
