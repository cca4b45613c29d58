import type { Illumination } from '@facekit/parameters'
import { shadeDiffuse, shadeSpecular, shadeSurface } from '@facekit/illumination'
import { tensor1d, tidy, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core'
import type { Camera } from './camera.js'
import { packChannels } from './pack-channels.js'

/** A surface to be lit, at vertices or at pixels; all of the same shape. */
export interface Surface<T extends Tensor3D | Tensor4D> {
  diffuse: T
  specular: T
  normals: T
  positions: T
}

/** Diffuse light (Eq. 4) and specular light (Eq. 5) of a surface, linear RGB.
 *
 * @param fused - whether as one kernel, not light by light
 * @returns `shaded` `[..., 6]`, both side by side, and `litDiffuse` `[..., 3]`, diffuse light alone
 * @differentiable surface, illumination
 */
export function lightSurface<T extends Tensor3D | Tensor4D>(
  surface: Surface<T>,
  illumination: Illumination,
  camera: Camera,
  fused: boolean,
): { shaded: T; litDiffuse: T } {
  if (fused) {
    return shadeSurface({ ...surface, ...illumination, cameraPosition: [0, 0, camera.distance] })
  }
  const { diffuse, specular, normals, positions } = surface
  const { sphericalHarmonics, lightPosition, lightColor, shininess } = illumination
  return tidy(() => {
    const litDiffuse = shadeDiffuse(diffuse, normals, sphericalHarmonics)
    const highlight = shadeSpecular({
      albedo: specular,
      normals,
      positions,
      lightPosition,
      lightColor,
      cameraPosition: tensor1d([0, 0, camera.distance]),
      shininess,
    })
    return { shaded: packChannels([litDiffuse, highlight]) as T, litDiffuse }
  })
}
