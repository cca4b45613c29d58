import type { Tensor4D } from '@tensorflow/tfjs-core'
import { ShapeError, ValueError, assertDataType, assertShape } from '@facekit/core'
import { lookUpTexels } from './look-up-texels.js'
import type { TextureWrap } from './texture-levels.js'
import { texturePyramid } from './texture-pyramid.js'

/** Options of `sampleTexture`. */
export interface SampleTextureOptions {
  /** What lies beyond 0..1. Default `'clamp'`. */
  wrap?: TextureWrap
  /** Where (0, 0) is: `'lower-left'` as in OBJ files and facekit's models, `'upper-left'` as in glTF. Default `'lower-left'`. */
  origin?: 'lower-left' | 'upper-left'
  /** `'bilinear'`: between the four nearest texels, for textures about as fine as the picture or coarser. `'trilinear'`: also between
   * the two levels of a mip pyramid that fit `uvDerivatives`, for finer ones. Default `'bilinear'`. */
  filter?: 'bilinear' | 'trilinear'
  /** `[B, H, W, 4]` du/dx, du/dy, dv/dx, dv/dy per pixel, of `interpolateDerivatives`; needed with `'trilinear'`. No gradient. */
  uvDerivatives?: Tensor4D
}

/** Looks colours up in a texture: bilinearly, or from a pyramid of ever coarser copies, which does not flicker where the texture is
 * finer than the picture.
 *
 * Texel centres are at (i + 1/2) / size. Coordinates that are not finite give NaN. The pyramid: each level has half of the rows and
 * columns (rounded down, down to one texel), of the mean of the area below. A look-up is at the level
 * log2 max(|d(texel)/dx|, |d(texel)/dy|), as in OpenGL, linearly between the two levels around it; 0 for magnified textures.
 *
 * @param texture - `[B, Ht, Wt, C]`, or `[1, Ht, Wt, C]` shared by the batch; row 0 is the top; any size
 * @param uv - `[B, H, W, 2]`, the texture spans 0..1; what `interpolate` makes of texture coordinates
 * @returns `[B, H, W, C]`; pixels of the background show what lies at (0, 0): mask them
 * @differentiable texture, through all levels; uv (*piecewise*: it jumps where a look-up passes a texel's centre, and is 0 beyond a
 * clamped border), not through the level.
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes do not fit each other
 * @throws {ValueError} when an option is unknown, or `filter` is `'trilinear'` without `uvDerivatives`
 * @example
 * sampleTexture(tf.tensor4d([0, 1], [1, 1, 2, 1]), tf.tensor4d([0.5, 0.5], [1, 1, 1, 2])) // 0.5
 */
export function sampleTexture(texture: Tensor4D, uv: Tensor4D, options: SampleTextureOptions = {}): Tensor4D {
  const { wrap = 'clamp', origin = 'lower-left', filter = 'bilinear', uvDerivatives } = options
  const { B, Ht, Wt } = assertShape('sampleTexture: texture', texture, ['B', 'Ht', 'Wt', 'C'])
  const size = assertShape('sampleTexture: uv', uv, ['B', 'H', 'W', 2], B === 1 ? {} : { B })
  assertDataType('sampleTexture: texture', texture, 'float32')
  assertDataType('sampleTexture: uv', uv, 'float32')
  if (Ht === 0 || Wt === 0) {
    throw new ShapeError(
      `sampleTexture: texture is [${texture.shape.join(', ')}], expected at least one texel`,
    )
  }
  if (wrap !== 'clamp' && wrap !== 'repeat' && wrap !== 'mirror') {
    throw new ValueError(`sampleTexture: wrap is ${String(wrap)}, expected 'clamp', 'repeat' or 'mirror'`)
  }
  if (origin !== 'lower-left' && origin !== 'upper-left') {
    throw new ValueError(`sampleTexture: origin is ${String(origin)}, expected 'lower-left' or 'upper-left'`)
  }
  if (filter !== 'bilinear' && filter !== 'trilinear') {
    throw new ValueError(`sampleTexture: filter is ${String(filter)}, expected 'bilinear' or 'trilinear'`)
  }
  const attributes = { shape: texture.shape as number[], wrap, lowerLeft: origin === 'lower-left' }
  if (filter === 'bilinear') return lookUpTexels({ texels: texture, uv }, attributes)
  if (uvDerivatives === undefined) {
    throw new ValueError(
      "sampleTexture: filter 'trilinear' needs uvDerivatives; make them with interpolateDerivatives",
    )
  }
  assertShape('sampleTexture: uvDerivatives', uvDerivatives, ['B', 'H', 'W', 4], size)
  assertDataType('sampleTexture: uvDerivatives', uvDerivatives, 'float32')
  const texels = texturePyramid(texture)
  const picture = lookUpTexels({ texels, uv, derivatives: uvDerivatives }, attributes)
  texels.dispose()
  return picture
}
