import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'
import { defineKernel, float32 } from '@facekit/kernels'
import { buildPyramid, pyramidGradient } from '../cpu/texture/pyramid.js'
import { texturePyramidOnGpu } from '../webgpu/texture/texture-pyramid.js'
import { texturePyramidGradientOnGpu } from '../webgpu/texture/texture-pyramid-gradient.js'
import { texelCount, textureLevels } from './texture-levels.js'

interface Attributes {
  /** Shape of the texture, `[B, Ht, Wt, C]`. */
  shape: number[]
}

const gradientKernel = defineKernel({
  name: 'FacekitTexturePyramidGradient',
  inputs: { upstream: 'float32' },
  outputs: (_shapes, { shape }: Attributes) => ({ gradient: float32(shape) }),
  cpu: ({ upstream }, { gradient }, _shapes, { shape }) => pyramidGradient(shape, upstream, gradient),
  webgpu: (backend, { upstream }, { gradient }) => texturePyramidGradientOnGpu(backend, upstream, gradient),
})

const kernel = defineKernel({
  name: 'FacekitTexturePyramid',
  inputs: { texture: 'float32' },
  outputs: ({ texture: [batch, rows, columns, channels] }, _attributes: Attributes) => ({
    pyramid: float32([batch, texelCount(textureLevels(rows, columns)), channels]),
  }),
  cpu: ({ texture }, { pyramid }, { texture: shape }) => buildPyramid(shape, texture, pyramid),
  webgpu: (backend, { texture }, { pyramid }) => texturePyramidOnGpu(backend, texture, pyramid),
  gradient: ({ upstream, attributes }) => ({
    texture: () => gradientKernel({ upstream: upstream.pyramid }, attributes),
  }),
})

/** All levels of a texture `[B, Ht, Wt, C]` in one tensor `[B, T, C]`, one after the other, row by row; see `textureLevels`.
 *
 * A texel is the mean of the area that it covers on the level before: with an odd number of rows or columns, of parts of texels.
 *
 * @differentiable texture
 * @memory the caller owns the result
 */
export const texturePyramid = (texture: Tensor4D): Tensor3D => kernel({ texture }, { shape: texture.shape })
