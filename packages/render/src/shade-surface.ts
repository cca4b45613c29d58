import type { Illumination } from '@facekit/core'
import { shadeDiffuse, shadeSpecular } from '@facekit/illumination'
import { tensor1d, tidy, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import type { Camera } from './camera.js'

/** A surface to be lit, at vertices or at pixels; all of the same shape. */
export interface Surface<T extends Tensor3D | Tensor4D> {
  diffuse: T
  specular: T
  normals: T
  positions: T
}

/** Diffuse light (Eq. 4) and specular light (Eq. 5) of a surface, linear RGB; like the surface in shape.
 *
 * Differentiable: surface, illumination.
 */
export function shadeSurface<T extends Tensor3D | Tensor4D>(
  { diffuse, specular, normals, positions }: Surface<T>,
  illumination: Illumination,
  camera: Camera,
): { diffuse: T; specular: T } {
  const { sphericalHarmonics, lightPosition, lightColor, shininess } = illumination
  return tidy(() => ({
    diffuse: shadeDiffuse(diffuse, normals, sphericalHarmonics),
    specular: shadeSpecular({
      albedo: specular,
      normals,
      positions,
      lightPosition,
      lightColor,
      cameraPosition: tensor1d([0, 0, camera.distance]),
      shininess,
    }),
  }))
}
