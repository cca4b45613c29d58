import { defineKernel, float32 } from '@facekit/kernels'
import {
  lookUp,
  lookUpCoordinateGradient,
  lookUpTexelGradient,
  type TextureScene,
} from '../cpu/texture/look-up.js'
import {
  sampleCoordinateGradientOnGpu,
  sampleOnGpu,
  sampleTexelGradientOnGpu,
} from '../webgpu/texture/sample-texture.js'
import { texelCount, textureLevels, type TextureWrap } from './texture-levels.js'

/** How look-ups are made. */
export interface LookUpAttributes {
  /** Shape of the texture, `[B, Ht, Wt, C]`. */
  shape: number[]
  wrap: TextureWrap
  lowerLeft: boolean
}

const sceneOf = (
  { uv, derivatives }: { uv: Float32Array; derivatives?: Float32Array | undefined },
  [batch]: number[],
  { shape: [textures, rows, columns, channels], wrap, lowerLeft }: LookUpAttributes,
): TextureScene => {
  const levels = derivatives ? textureLevels(rows, columns) : [{ rows, columns, start: 0 }]
  return { uv, derivatives, levels, texels: texelCount(levels), textures, channels, batch, wrap, lowerLeft }
}

const texelGradientKernel = defineKernel({
  name: 'FacekitLookUpTexelsGradient',
  inputs: { uv: 'float32', derivatives: 'float32?', upstream: 'float32' },
  outputs: ({ derivatives }, { shape }: LookUpAttributes) => {
    const [textures, rows, columns, channels] = shape
    const pyramid = [textures, texelCount(textureLevels(rows, columns)), channels]
    return { gradient: float32(derivatives ? pyramid : shape) }
  },
  cpu: (inputs, { gradient }, { uv }, attributes) =>
    lookUpTexelGradient(sceneOf(inputs, uv, attributes), inputs.upstream, gradient),
  webgpu: (backend, inputs, outputs, attributes) =>
    sampleTexelGradientOnGpu(backend, inputs, outputs, attributes),
})

const coordinateGradientKernel = defineKernel({
  name: 'FacekitLookUpTexelsCoordinateGradient',
  inputs: { texels: 'float32', uv: 'float32', derivatives: 'float32?', upstream: 'float32' },
  outputs: ({ uv }) => ({ gradient: float32(uv) }),
  cpu: (inputs, { gradient }, { uv }, attributes: LookUpAttributes) =>
    lookUpCoordinateGradient(sceneOf(inputs, uv, attributes), inputs.texels, inputs.upstream, gradient),
  webgpu: (backend, inputs, outputs, attributes) =>
    sampleCoordinateGradientOnGpu(backend, inputs, outputs, attributes),
})

/** Looks colours up in a texture `[B, Ht, Wt, C]`; or, with `derivatives`, in a pyramid of `texturePyramid`, between the two levels that
 * fit them.
 *
 * @differentiable texels, uv; not through derivatives
 * @memory the caller owns the result
 */
export const lookUpTexels = defineKernel({
  name: 'FacekitLookUpTexels',
  inputs: { texels: 'float32', uv: 'float32', derivatives: 'float32?' },
  outputs: ({ uv: [batch, height, width] }, { shape }: LookUpAttributes) => ({
    picture: float32([batch, height, width, shape[3]]),
  }),
  saves: ['texels', 'uv', 'derivatives'],
  constants: ['derivatives'],
  cpu: (inputs, { picture }, { uv }, attributes) =>
    lookUp(sceneOf(inputs, uv, attributes), inputs.texels, picture),
  webgpu: (backend, inputs, outputs, attributes) => sampleOnGpu(backend, inputs, outputs, attributes),
  gradient: ({ upstream: { picture: upstream }, saved, attributes }) => ({
    texels: () => texelGradientKernel({ uv: saved.uv, derivatives: saved.derivatives, upstream }, attributes),
    uv: () => coordinateGradientKernel({ ...saved, upstream }, attributes),
  }),
})
