import { ValueError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { bakeTexture, type BakeTextureOptions } from './bake-texture.js'
import { srgbBytes } from './color-encoding.js'
import { checkFaceMesh, type CheckedMesh, type FaceMesh } from './face-mesh.js'

/** Maps of a face over UV, top row first. */
export interface FaceTextures {
  /** `[size, size, 3]` diffuse albedo, sRGB. */
  diffuse: NdArray<Uint8Array>
  /** `[size, size, 3]` specular albedo divided by `specularScale`, sRGB. */
  specular: NdArray<Uint8Array>
  /** The largest specular albedo of the face, linear: `specular albedo = specularScale * decoded texel`. Dark albedos use all 8 bits. */
  specularScale: number
}

/** Bakes the albedos of a face into two pictures over its UV.
 *
 * @throws {ShapeError} when sizes do not fit together
 * @throws {ValueError} when the mesh has no UV, or the size is absurd
 */
export function createFaceTextures(mesh: FaceMesh, options: BakeTextureOptions = {}): FaceTextures {
  const checked = checkFaceMesh('createFaceTextures', mesh)
  if (!checked.uv) {
    throw new ValueError('createFaceTextures: mesh.uv is missing, expected [N, 2]; use a model that has UV')
  }
  return bakeFaceTextures({ ...checked, uv: checked.uv }, options)
}

/** `createFaceTextures` of a mesh that has been checked. */
export function bakeFaceTextures(
  mesh: CheckedMesh & { uv: Float32Array },
  options: BakeTextureOptions,
): FaceTextures {
  const diffuse = bakeTexture(mesh.diffuse, mesh.uv, mesh.triangles, options)
  const specular = bakeTexture(mesh.specular, mesh.uv, mesh.triangles, options)
  const specularScale = Math.max(
    mesh.specular.reduce((most, value) => Math.max(most, value), 0),
    1e-4,
  )
  return {
    diffuse: ndarray(srgbBytes(diffuse.data), diffuse.shape),
    specular: ndarray(srgbBytes(specular.data, 1 / specularScale), specular.shape),
    specularScale,
  }
}
