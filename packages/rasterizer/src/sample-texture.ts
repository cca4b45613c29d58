import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core'
import {
  assertDataType,
  assertShape,
  runHostKernel,
  ShapeError,
  ValueError,
  type HostArray,
  type HostKernel,
} from '@facekit/core'
import {
  sampleTextureCoordinateGradientOnGpu,
  sampleTextureGradientOnGpu,
  sampleTextureOnGpu,
} from './gpu-sample-texture.js'
import {
  lookUp,
  lookUpCoordinateGradient,
  lookUpTextureGradient,
  type TextureScene,
  type TextureWrap,
} from './texture-arrays.js'

/** Options of `sampleTexture`. */
export interface SampleTextureOptions {
  /** What lies beyond 0..1. Default `'clamp'`. */
  wrap?: TextureWrap
  /** Where (0, 0) is: `'lower-left'` as in OBJ files and facekit's models, `'upper-left'` as in glTF. Default `'lower-left'`. */
  origin?: 'lower-left' | 'upper-left'
}

interface Attributes {
  shape: number[]
  wrap: TextureWrap
  lowerLeft: boolean
}

const sceneOf = (uv: HostArray, batch: number, attributes: Attributes): TextureScene => ({
  uv: uv as Float32Array,
  batch,
  ...attributes,
})

const textureGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitSampleTextureGradient',
  inputs: ['uv', 'upstream'],
  outputs: (_, { shape }) => [{ shape, dtype: 'float32' }],
  compute([uv, upstream], [gradient], [[batch]], attributes) {
    const scene = sceneOf(uv, batch, attributes)
    lookUpTextureGradient(scene, upstream as Float32Array, gradient as Float32Array)
  },
  webgpu: sampleTextureGradientOnGpu,
}

const coordinateGradientKernel: HostKernel<Attributes> = {
  name: 'FacekitSampleTextureCoordinateGradient',
  inputs: ['texture', 'uv', 'upstream'],
  outputs: ([, uv]) => [{ shape: uv, dtype: 'float32' }],
  compute([texture, uv, upstream], [gradient], [, [batch]], attributes) {
    lookUpCoordinateGradient(
      sceneOf(uv, batch, attributes),
      texture as Float32Array,
      upstream as Float32Array,
      gradient as Float32Array,
    )
  },
  webgpu: sampleTextureCoordinateGradientOnGpu,
}

const kernel: HostKernel<Attributes> = {
  name: 'FacekitSampleTexture',
  inputs: ['texture', 'uv'],
  outputs: ([texture, uv]) => [{ shape: [...uv.slice(0, 3), texture[3]], dtype: 'float32' }],
  compute([texture, uv], [output], [, [batch]], attributes) {
    lookUp(sceneOf(uv, batch, attributes), texture as Float32Array, output as Float32Array)
  },
  webgpu: sampleTextureOnGpu,
  gradient: {
    inputsToSave: ['texture', 'uv'],
    gradFunc: (dy, [texture, uv], attrs) => {
      const upstream = dy as Tensor
      const attributes = attrs as unknown as Attributes
      return {
        texture: () => runHostKernel(textureGradientKernel, { uv, upstream }, attributes)[0],
        uv: () => runHostKernel(coordinateGradientKernel, { texture, uv, upstream }, attributes)[0],
      }
    },
  },
}

/** Looks colours up in a texture, bilinearly; no mip maps, so a texture much finer than the picture flickers.
 *
 * Texel centres are at (i + 1/2) / size. Coordinates that are not finite give 0.
 *
 * @param texture - `[B, Ht, Wt, C]`, or `[1, Ht, Wt, C]` shared by the batch; row 0 is the top
 * @param uv - `[B, H, W, 2]`, the texture spans 0..1; what `interpolate` makes of texture coordinates
 * @returns `[B, H, W, C]`; pixels of the background show what lies at (0, 0): mask them
 *
 * Differentiable: texture; uv (*piecewise*: it jumps where a look-up passes a texel's centre, and is 0 beyond a clamped border).
 * Memory: the caller owns the result.
 * @throws {ShapeError} when shapes do not fit each other
 * @throws {ValueError} when an option is unknown
 * @example
 * sampleTexture(tf.tensor4d([0, 1], [1, 1, 2, 1]), tf.tensor4d([0.5, 0.5], [1, 1, 1, 2])) // 0.5
 */
export function sampleTexture(texture: Tensor4D, uv: Tensor4D, options: SampleTextureOptions = {}): Tensor4D {
  const { wrap = 'clamp', origin = 'lower-left' } = options
  const { B, Ht, Wt } = assertShape('sampleTexture: texture', texture, ['B', 'Ht', 'Wt', 'C'])
  assertShape('sampleTexture: uv', uv, ['B', 'H', 'W', 2], B === 1 ? {} : { B })
  assertDataType('sampleTexture: texture', texture, 'float32')
  assertDataType('sampleTexture: uv', uv, 'float32')
  if (Ht === 0 || Wt === 0) {
    throw new ShapeError(
      `sampleTexture: texture is [${texture.shape.join(', ')}], expected at least one texel`,
    )
  }
  if (wrap !== 'clamp' && wrap !== 'repeat') {
    throw new ValueError(`sampleTexture: wrap is ${String(wrap)}, expected 'clamp' or 'repeat'`)
  }
  if (origin !== 'lower-left' && origin !== 'upper-left') {
    throw new ValueError(`sampleTexture: origin is ${String(origin)}, expected 'lower-left' or 'upper-left'`)
  }
  const attributes = { shape: texture.shape as number[], wrap, lowerLeft: origin === 'lower-left' }
  return runHostKernel(kernel, { texture, uv }, attributes)[0] as Tensor4D
}
