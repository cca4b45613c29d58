import { assertInRange, assertShape } from '@facekit/core'
import { add, div, maximum, mul, slice, tensor1d, tidy, type Tensor3D } from '@tensorflow/tfjs-core'
import type { PictureSize } from './camera.js'

/** Smallest w that is divided by: what is behind the camera lands far outside of the picture instead of at NaN. */
const SMALLEST_W = 1e-3

/** Pixel positions of points in clip space.
 *
 * x_px = (x / w + 1) W / 2,   y_px = (1 - y / w) H / 2
 *
 * @param clip - `[B, L, 4]` as in OpenGL, y up
 * @param size - of the picture
 * @returns `[B, L, 2]` pixels, origin at the top left, y down, pixel centres at +0.5; finite for points behind the camera
 * @differentiable clip
 * @memory the caller owns the result
 * @throws {ShapeError} when `clip` is not `[B, L, 4]`
 */
export function clipToPixels(clip: Tensor3D, size: PictureSize): Tensor3D {
  const { B, L } = assertShape('clipToPixels: clip', clip, ['B', 'L', 4])
  assertInRange('clipToPixels: width', size.width, 1)
  assertInRange('clipToPixels: height', size.height, 1)
  return tidy(() => {
    const w = maximum(slice(clip, [0, 0, 3], [B, L, 1]), SMALLEST_W)
    const xy = div(slice(clip, [0, 0, 0], [B, L, 2]), w)
    const half = tensor1d([size.width / 2, -size.height / 2])
    return add(mul(xy, half), tensor1d([size.width / 2, size.height / 2])) as Tensor3D
  })
}
