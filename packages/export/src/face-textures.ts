import { ShapeError, ValueError } from '@facekit/core'
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
  /** `[size, size, 3]` normals of the tangent space, x to the right and y up in the map, -1..1 as 0..255. */
  normal?: NdArray<Uint8Array>
  /** `[height, width, 3]` what is seen between the lips, sRGB; worn where the mesh has `innerMouthUv`, otherwise it is dark there. */
  mouth?: NdArray<Uint8Array>
  /** `[size, size]` fine relief, outwards: -`DISPLACEMENT_RANGE` mm to +`DISPLACEMENT_RANGE` mm as 0..65535. */
  displacement?: NdArray<Uint16Array>
  /** `[height, width, 3]` what of the photograph's light its fit does not know (cast shadows, second lamps), in steps of `shadingFactor`: for that light only, no part of the
   * skin. */
  shading?: NdArray<Uint8Array>
}

/** Relief that the displacement map can hold on either side, mm: pores and wrinkles have tenths. */
export const DISPLACEMENT_RANGE = 1

/** Factors that the shading map can hold: from 1 / `SHADING_RANGE` to `SHADING_RANGE`. */
export const SHADING_RANGE = 4

/** Factor of the fitted irradiance that a byte of the shading map stands for: `SHADING_RANGE^((byte - 128) / 127)`, 128 is 1. */
export const shadingFactor = (byte: number): number => SHADING_RANGE ** ((byte - 128) / 127)

/** Maps as numbers, e.g. those of `createFaceTextures` of `@facekit/appearance`. */
export interface LinearTextures {
  /** `[size, size, 3]` diffuse and specular albedo, linear RGB. */
  diffuse: NdArray<Float32Array>
  specular: NdArray<Float32Array>
  /** `[size, size, 3]` unit length, tangent space. */
  normal?: NdArray<Float32Array>
  /** `[size, size]` mm outwards. */
  displacement?: NdArray<Float32Array>
  /** `[height, width, 3]` what is seen between the lips, linear RGB. */
  mouth?: NdArray<Float32Array>
  /** `[height, width, 3]` factor of the fitted irradiance, above 0, of the photograph whose light goes with the face; of several, the first is taken. */
  shading?: NdArray<Float32Array> | readonly NdArray<Float32Array>[]
}

/** Bakes the albedos of a face into two pictures over its UV.
 *
 * @throws {ShapeError} when sizes do not fit together
 * @throws {ValueError} when the mesh has no UV, or the size is absurd
 */
export function bakeFaceTextures(mesh: FaceMesh, options: BakeTextureOptions = {}): FaceTextures {
  const checked = checkFaceMesh('bakeFaceTextures', mesh)
  if (!checked.uv) {
    throw new ValueError('bakeFaceTextures: mesh.uv is missing, expected [N, 2]; use a model that has UV')
  }
  return bakeCheckedTextures({ ...checked, uv: checked.uv }, options)
}

/** `bakeFaceTextures` of a mesh that has been checked. */
export function bakeCheckedTextures(
  mesh: CheckedMesh & { uv: Float32Array },
  options: BakeTextureOptions,
): FaceTextures {
  const diffuse = bakeTexture(mesh.diffuse, mesh.uv, mesh.triangles, options)
  const specular = bakeTexture(mesh.specular, mesh.uv, mesh.triangles, options)
  // Between the centres of texels the map may miss the largest albedo of a vertex.
  return encodeFaceTextures({ diffuse, specular }, largest(mesh.specular))
}

function largest(values: Float32Array): number {
  let most = 1e-4
  for (const value of values) if (value > most) most = value
  return most
}

/** Encodes maps of numbers as bytes, ready for `encodeGlb`, `encodeObj` and `encodeViewer`.
 *
 * @param specularScale - see `FaceTextures`; default: the largest number of the map
 * @throws {ShapeError} when a map is not square, or not of the size of the others
 */
export function encodeFaceTextures(
  { diffuse, specular, normal, displacement, mouth, shading: shadings }: LinearTextures,
  specularScale: number = largest(specular.data),
): FaceTextures {
  const size = diffuse.shape[0]
  for (const [name, map] of Object.entries({ diffuse, specular, normal })) {
    if (!map) continue
    const [height, width, channels] = map.shape
    if (height !== size || width !== size || channels !== 3 || map.data.length !== size * size * 3)
      throw new ShapeError(
        `encodeFaceTextures: ${name} is [${map.shape.join(', ')}], expected [${size}, ${size}, 3]`,
      )
  }
  if (
    displacement &&
    (displacement.shape.join() !== `${size},${size}` || displacement.data.length !== size * size)
  )
    throw new ShapeError(
      `encodeFaceTextures: displacement is [${displacement.shape.join(', ')}], expected [${size}, ${size}]`,
    )
  const shading = Array.isArray(shadings) ? shadings[0] : shadings
  return {
    diffuse: ndarray(srgbBytes(diffuse.data), diffuse.shape),
    specular: ndarray(srgbBytes(specular.data, 1 / specularScale), specular.shape),
    specularScale,
    ...(mouth && { mouth: ndarray(srgbBytes(mouth.data), mouth.shape) }),
    ...(shading && { shading: encodeShading(shading) }),
    ...(normal && {
      normal: ndarray(normalBytes(normal.data), normal.shape),
    }),
    ...(displacement && {
      displacement: ndarray(
        Uint16Array.from(displacement.data, (value) => {
          const share = Math.min(Math.max(value / DISPLACEMENT_RANGE, -1), 1)
          return Math.round(32767.5 + 32767.5 * share)
        }),
        displacement.shape,
      ),
    }),
  }
}

/** Encodes one map of shading, see `FaceTextures`; what lies beyond `SHADING_RANGE` is clamped.
 *
 * @param shading - `[height, width, 3]` factors of the irradiance, above 0
 * @throws {ShapeError} when it has another shape
 */
export function encodeShading(shading: NdArray<Float32Array>): NdArray<Uint8Array> {
  const { data, shape } = shading
  if (shape.length !== 3 || shape[2] !== 3 || data.length !== shape[0] * shape[1] * 3)
    throw new ShapeError(`encodeShading: the map is [${shape.join(', ')}], expected [height, width, 3]`)
  const bytes = Uint8Array.from(data, (value) => {
    const share = Math.log(Math.max(value, 1e-6)) / Math.log(SHADING_RANGE)
    return Math.round(128 + 127 * Math.min(Math.max(share, -1), 1))
  })
  return ndarray(bytes, shape)
}

function normalBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(127.5 + 127.5 * values[i])
  return bytes
}
