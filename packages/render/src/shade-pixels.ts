import type { Illumination } from '@facekit/parameters'
import { div, maximum, slice, sqrt, square, sum, tidy, type Tensor4D } from '@tensorflow/tfjs-core'
import type { Camera } from './camera.js'
import { lightSurface } from './light-surface.js'

/** Light at each pixel.
 *
 * @param attributes - `[B, H, W, 12]` diffuse albedo, specular albedo, normals, positions, each interpolated
 * @returns `[B, H, W, 6]` linear diffuse and specular light
 * @differentiable attributes, illumination
 */
export function shadePixels(
  attributes: Tensor4D,
  illumination: Illumination,
  camera: Camera,
  fused: boolean,
): Tensor4D {
  return tidy(() => {
    const [diffuse, specular, bent, positions] = [0, 3, 6, 9].map((start) =>
      slice(attributes, [0, 0, 0, start], [-1, -1, -1, 3]),
    )
    // Normals shrink where they are averaged, and are 0 on the background.
    const normals = div(bent, sqrt(maximum(sum(square(bent), 3, true), 1e-12))) as Tensor4D
    return lightSurface({ diffuse, specular, normals, positions }, illumination, camera, fused).shaded
  })
}
