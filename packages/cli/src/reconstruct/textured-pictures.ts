import { sphericalHarmonicsAt } from '@facekit/illumination'
import ndarray, { type NdArray } from 'ndarray'
import type { RenderedPixels } from './face-pictures.js'

/** Maps of a face over UV, linear RGB, top row first; as `createFaceTextures` gives them. */
export interface WornMaps {
  diffuse: NdArray<Float32Array>
  specular: NdArray<Float32Array>
  /** `[height, width, 3]` what is between the lips. */
  mouth?: NdArray<Float32Array>
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

/** Draws a face in its maps, over black: diffuse albedo, specular albedo, and both in the light of the fit (paper, Eq. 4 and 5), encoded with gamma 1/2.2.
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
  for (let pixel = 0; pixel < size * size; pixel++) {
    const id = triangleIds[pixel]
    if (id < 0) continue
    const inMouth = 3 * id >= mesh.triangles.length
    if (inMouth && !(maps.mouth && mesh.innerMouthTriangles && mesh.innerMouthUv)) continue
    const triangles = inMouth ? mesh.innerMouthTriangles! : mesh.triangles
    const first = inMouth ? 3 * id - mesh.triangles.length : 3 * id
    const mix = (to: Float64Array, values: Float32Array) => {
      to.fill(0)
      for (let corner = 0; corner < 3; corner++) {
        const from = triangles[first + corner] * to.length
        for (let k = 0; k < to.length; k++) to[k] += barycentrics[3 * pixel + corner] * values[from + k]
      }
    }
    if (first >= triangles.length) continue
    mix(uv, inMouth ? mesh.innerMouthUv! : mesh.uv)
    mix(position, mesh.vertices)
    mix(normal, mesh.normals)
    sample(diffuse, inMouth ? maps.mouth! : maps.diffuse, uv)
    if (inMouth) specular.fill(0)
    else sample(specular, maps.specular, uv)
    const shine = inMouth ? 0 : highlight(normal, position, light)
    const cover = inMouth ? 1 : mask[pixel]
    const length = Math.hypot(normal[0], normal[1], normal[2]) || 1
    const basis = sphericalHarmonicsAt(normal[0] / length, normal[1] / length, normal[2] / length)
    for (let c = 0; c < 3; c++) {
      let irradiance = 0
      for (let k = 0; k < 9; k++) irradiance += basis[k] * light.sphericalHarmonics[3 * k + c]
      const at = 3 * pixel + c
      const encode = (value: number) => cover * Math.min(Math.max(value, 0), 1) ** (1 / 2.2)
      pictures.diffuse.data[at] = encode(diffuse[c])
      pictures.specular.data[at] = encode(specular[c])
      pictures.lit.data[at] = encode(
        diffuse[c] * Math.max(irradiance, 0) + specular[c] * light.lightColor[c] * shine,
      )
    }
  }
  return pictures
}

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
  n: Float64Array,
  p: Float64Array,
  { lightPosition, cameraDistance, shininess }: PictureLight,
): number {
  const unit = (v: number[]) => {
    const length = Math.hypot(...v) || 1
    return v.map((value) => value / length)
  }
  const normal = unit([...n])
  const toLamp = unit([0, 1, 2].map((k) => lightPosition[k] - p[k]))
  const toCamera = unit([-p[0], -p[1], cameraDistance - p[2]])
  const half = unit([0, 1, 2].map((k) => toLamp[k] + toCamera[k]))
  const dot = (a: number[], b: number[]) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
  const rise = Math.min(Math.max(dot(normal, toLamp) / 0.05, 0), 1)
  return Math.max(dot(normal, half), 0) ** shininess * rise * rise * (3 - 2 * rise)
}
