import { sphericalHarmonicsAt } from '@facekit/illumination'
import ndarray, { type NdArray } from 'ndarray'
import type { RenderedPixels } from './face-pictures.js'

/** Maps of a face over UV, linear RGB, top row first; as `createFaceTextures` gives them. */
export interface WornMaps {
  diffuse: NdArray<Float32Array>
  specular: NdArray<Float32Array>
  /** `[height, width, 3]` what is between the lips. */
  mouth?: NdArray<Float32Array>
  /** Of the photograph first: `[height, width, 3]` what of its light the fit does not know, a factor. */
  shading?: readonly NdArray<Float32Array>[]
}

/** The light of a fit and the camera that sees it, in plain numbers. */
export interface PictureLight {
  /** `[9 * 3]` */
  sphericalHarmonics: ArrayLike<number>
  lightPosition: ArrayLike<number>
  lightColor: ArrayLike<number>
  shininess: number
  /** Where the camera is on the z axis, mm. */
  cameraDistance: number
}

/** A mesh in world space with what its maps need. */
export interface WornMesh {
  triangles: Int32Array
  vertices: Float32Array
  normals: Float32Array
  /** `[N * 2]` */
  uv: Float32Array
  /** `[M * 3]`, with `[N * 2]` places on the map of the mouth. */
  innerMouthTriangles?: Int32Array
  innerMouthUv?: Float32Array
}

/** Draws a face in its maps, over black: diffuse albedo, specular albedo, and both in the light of the photograph: that of the fit (paper, Eq. 4 and 5) with its shading, encoded
 * with gamma 1/2.2.
 * What is between the lips stays as it is in `image` where there is no map of it.
 */
export function texturedPictures(
  pixels: RenderedPixels,
  mesh: WornMesh,
  maps: WornMaps,
  light: PictureLight,
): Record<'diffuse' | 'specular' | 'lit', NdArray<Float32Array>> {
  const { size, mask, triangleIds, barycentrics, image } = pixels
  const empty = () => ndarray(new Float32Array(size * size * 3), [size, size, 3])
  const pictures = {
    diffuse: empty(),
    specular: empty(),
    lit: ndarray(Float32Array.from(image), [size, size, 3]),
  }
  const [uv, position, normal] = [new Float64Array(2), new Float64Array(3), new Float64Array(3)]
  const [diffuse, specular] = [new Float64Array(3), new Float64Array(3)]
  const shading = new Float64Array(3)
  const [corners, shares] = [new Int32Array(3), new Float64Array(3)]
  for (let pixel = 0; pixel < size * size; pixel++) {
    const id = triangleIds[pixel]
    if (id < 0) continue
    const inMouth = 3 * id >= mesh.triangles.length
    if (inMouth && !(maps.mouth && mesh.innerMouthTriangles && mesh.innerMouthUv)) continue
    const triangles = inMouth ? mesh.innerMouthTriangles! : mesh.triangles
    const first = inMouth ? 3 * id - mesh.triangles.length : 3 * id
    if (first >= triangles.length) continue
    for (let corner = 0; corner < 3; corner++) corners[corner] = triangles[first + corner]
    for (let corner = 0; corner < 3; corner++) shares[corner] = barycentrics[3 * pixel + corner]
    mix(uv, inMouth ? mesh.innerMouthUv! : mesh.uv, corners, shares)
    mix(position, mesh.vertices, corners, shares)
    mix(normal, mesh.normals, corners, shares)
    sample(diffuse, inMouth ? maps.mouth! : maps.diffuse, uv)
    if (inMouth) specular.fill(0)
    else sample(specular, maps.specular, uv)
    shading.fill(1)
    if (maps.shading && !inMouth) sample(shading, maps.shading[0], uv)
    const shine = inMouth ? 0 : highlight(normal, position, light)
    const cover = inMouth ? 1 : mask[pixel]
    const length = Math.hypot(normal[0], normal[1], normal[2]) || 1
    const basis = sphericalHarmonicsAt(normal[0] / length, normal[1] / length, normal[2] / length)
    for (let c = 0; c < 3; c++) {
      let irradiance = 0
      for (let k = 0; k < 9; k++) irradiance += basis[k] * light.sphericalHarmonics[3 * k + c]
      const at = 3 * pixel + c
      const lit =
        diffuse[c] * shading[c] * Math.max(irradiance, 0) + specular[c] * light.lightColor[c] * shine
      pictures.diffuse.data[at] = cover * encode(diffuse[c])
      pictures.specular.data[at] = cover * encode(specular[c])
      pictures.lit.data[at] = cover * encode(lit)
    }
  }
  return pictures
}

/** Interpolates values of vertices. */
function mix(to: Float64Array, values: Float32Array, corners: Int32Array, shares: Float64Array): void {
  for (let k = 0; k < to.length; k++) {
    to[k] = 0
    for (let corner = 0; corner < 3; corner++)
      to[k] += shares[corner] * values[corners[corner] * to.length + k]
  }
}

const encode = (value: number) => Math.min(Math.max(value, 0), 1) ** (1 / 2.2)

/** Bilinear, texel centres at +0.5. */
function sample(
  to: Float64Array,
  map: NdArray<Float32Array>,
  [u, v]: ArrayLike<number> & Iterable<number>,
): void {
  const [height, width] = map.shape
  const x = Math.min(Math.max(u * width - 0.5, 0), width - 1.001)
  const y = Math.min(Math.max((1 - v) * height - 0.5, 0), height - 1.001)
  const [left, top] = [Math.floor(x), Math.floor(y)]
  const [right, down] = [x - left, y - top]
  const at = 3 * (top * width + left)
  for (let c = 0; c < 3; c++) {
    const upper = map.data[at + c] * (1 - right) + map.data[at + 3 + c] * right
    const lower = map.data[at + 3 * width + c] * (1 - right) + map.data[at + 3 * width + 3 + c] * right
    to[c] = upper * (1 - down) + lower * down
  }
}

/** Blinn-Phong as of `shadeSpecular`, for a white lamp of strength 1. */
function highlight(
  [nx, ny, nz]: Float64Array,
  [px, py, pz]: Float64Array,
  { lightPosition, cameraDistance, shininess }: PictureLight,
): number {
  const [lx, ly, lz] = [lightPosition[0] - px, lightPosition[1] - py, lightPosition[2] - pz]
  const towards = cameraDistance - pz
  const normal = Math.hypot(nx, ny, nz) || 1
  const lamp = Math.hypot(lx, ly, lz) || 1
  const camera = Math.hypot(px, py, towards) || 1
  const [hx, hy, hz] = [lx / lamp - px / camera, ly / lamp - py / camera, lz / lamp + towards / camera]
  const half = Math.hypot(hx, hy, hz) || 1
  const rise = Math.min(Math.max((nx * lx + ny * ly + nz * lz) / (normal * lamp) / 0.05, 0), 1)
  const cosine = Math.max((nx * hx + ny * hy + nz * hz) / (normal * half), 0)
  return cosine ** shininess * rise * rise * (3 - 2 * rise)
}
