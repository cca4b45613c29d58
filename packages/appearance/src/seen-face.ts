import { isMonochrome, type FaceAnnotation, type Picture } from '@facekit/annotate'
import { sphericalHarmonicsAt } from '@facekit/illumination'
import { evaluateAlbedo, type MorphableModel } from '@facekit/morphable'
import type { FaceParameters } from '@facekit/parameters'
import { renderFace, type Camera } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { lightSlopes } from './light-slopes.js'
import { cropPicture } from './crop-picture.js'

/** The face that was fitted in one photograph: what `fitFace` gives, and the annotation that it was given. */
export interface PhotographFit {
  /** One row for each photograph of the person. */
  parameters: FaceParameters
  /** Row of this photograph. Default 0. */
  row?: number
  camera: Camera
  annotation: FaceAnnotation
}

/** A fitted face where its photograph shows it, in plain arrays. */
export interface SeenFace {
  /** Side K of the crop that is looked at, pixels. */
  size: number
  /** `[K * K * 3]` linear RGB. */
  picture: Float32Array
  /** Whether the picture is black-and-white: its colours say nothing. */
  monochrome: boolean
  /** What the photograph shows of either eye between its lids: six corners of a polygon, as landmarks 36 to 41, x and y in pixels of the crop. */
  eyeOpenings: readonly Float32Array[]
  /** `[N]` 1 for vertices of the eyeballs. */
  eyeballs: Uint8Array
  /** Side of the masks, pixels. */
  maskSize: number
  /** `[M * M]` pixels that show the face, 0..1. */
  faceRegion: Float32Array
  /** What is at each vertex, `SEEN_CHANNELS` numbers: x, y in pixels of the crop; depth towards the camera, mm; cosine between normal and camera;
   * irradiance (3) and highlight (3) of the fitted light, linear RGB. */
  vertices: Float32Array
  /** `[D * D]` depth of what is seen, mm; -Infinity beside the face. */
  depth: Float32Array
  depthSize: number
  /** `[N * 2]`, see `lightSlopes`. */
  slopes: Float32Array
  /** Length on the face of the whole width of UV, mm. */
  uvWidth: number
  /** `[3]` mean irradiance on the seen skin, linear RGB; no channel less than a twentieth of all. */
  meanLight: readonly number[]
  /** `[N * 3]` fitted albedo of the vertices, linear RGB. */
  diffuse: Float32Array
  specular: Float32Array
}

export const SEEN_CHANNELS = 10
const DEPTH_SIZE = 320
/** Least share of all light that a channel is taken to have. */
const LEAST_CHANNEL = 0.05

/** Evaluates a fitted face over a crop of its photograph.
 *
 * @param wanted - side of the crop that is wanted, pixels; a coarse photograph gives less
 */
export async function seenFace(
  photograph: Picture,
  fit: PhotographFit,
  model: MorphableModel,
  uv: Float32Array,
  wanted: number,
): Promise<SeenFace> {
  const { annotation, camera, row = 0 } = fit
  const { transform, size: side } = annotation.alignment
  // Finer than the photograph there is nothing to see.
  const size = Math.max(64, Math.min(wanted, Math.round(side / transform.scale)))
  const tensors = tf.tidy(() => {
    const parameters = oneRow(fit.parameters, row)
    const rendering = renderFace(model, parameters, {
      width: DEPTH_SIZE,
      height: DEPTH_SIZE,
      camera,
      antialias: false,
    })
    const albedo = evaluateAlbedo(model, parameters.albedo)
    const { sphericalHarmonics, lightPosition, lightColor, shininess } = parameters.illumination
    return [
      rendering.vertices,
      rendering.normals,
      rendering.fragments.triangleIds,
      rendering.fragments.barycentrics,
      albedo.diffuse,
      albedo.specular,
      sphericalHarmonics,
      lightPosition,
      lightColor,
      shininess,
    ].map((tensor) => tf.keep(tf.clone(tensor as tf.Tensor)))
  })
  const arrays = await Promise.all(tensors.map((tensor) => tensor.data()))
  tf.dispose(tensors)
  const [positions, normals, ids, weights, diffuse, specular, harmonics, lamp, lampColor, [exponent]] =
    arrays.map((array) => Float32Array.from(array))
  const { slopes, width } = lightSlopes(positions, normals, harmonics, uv, model.triangles)
  const vertices = new Float32Array(model.vertexCount * SEEN_CHANNELS)
  const light = [0, 0, 0]
  let area = 1e-9
  for (let i = 0; i < model.vertexCount; i++) {
    const at = 3 * i
    const p = positions.subarray(at, at + 3)
    const n = normals.subarray(at, at + 3)
    const toCamera = unit(-p[0], -p[1], camera.distance - p[2])
    const facing = n[0] * toCamera[0] + n[1] * toCamera[1] + n[2] * toCamera[2]
    const [x, y] = toCrop(p, camera, size)
    vertices.set([x, y, p[2], facing], i * SEEN_CHANNELS)
    const basis = sphericalHarmonicsAt(n[0], n[1], n[2])
    const toLamp = unit(lamp[0] - p[0], lamp[1] - p[1], lamp[2] - p[2])
    const lobe = highlight(n, toLamp, toCamera, exponent)
    for (let c = 0; c < 3; c++) {
      let irradiance = 0
      for (let k = 0; k < 9; k++) irradiance += basis[k] * harmonics[3 * k + c]
      vertices[i * SEEN_CHANNELS + 4 + c] = irradiance
      vertices[i * SEEN_CHANNELS + 7 + c] = specular[at + c] * lampColor[c] * lobe
      if (facing > 0) light[c] += facing * irradiance
    }
    area += Math.max(facing, 0)
  }
  return {
    size,
    picture: cropPicture(photograph, transform, side, size),
    monochrome: isMonochrome(annotation.alignment.image),
    eyeOpenings: EYES.map(([first, last]) => opening(annotation, first, last, size / side)),
    eyeballs: eyeballsOf(model),
    maskSize: side,
    faceRegion: flat(annotation),
    vertices,
    depth: depthMap(ids, weights, positions, model),
    depthSize: DEPTH_SIZE,
    slopes,
    uvWidth: width,
    meanLight: light.map((value) => Math.max(value, LEAST_CHANNEL * (light[0] + light[1] + light[2])) / area),
    diffuse,
    specular,
  }
}

/** Landmarks around either eye. */
const EYES = [
  [36, 41],
  [42, 47],
] as const
/** How far the landmarks are moved outwards, of their distance from the eye's middle: straight lines between them cut its arcs off, and lids have a rim. */
const RIM = 0.15

function opening(
  { alignment: { landmarks } }: FaceAnnotation,
  first: number,
  last: number,
  scale: number,
): Float32Array {
  const count = last - first + 1
  const middle = [0, 1].map((c) => {
    let sum = 0
    for (let l = first; l <= last; l++) sum += landmarks.get(l, c) / count
    return sum
  })
  return Float32Array.from({ length: 2 * count }, (_, i) => {
    const place = landmarks.get(first + (i >> 1), i & 1)
    return scale * (place + RIM * (place - middle[i & 1]))
  })
}

function eyeballsOf({ regions = {}, vertexCount }: MorphableModel): Uint8Array {
  const eyes = new Uint8Array(vertexCount)
  for (const name of ['eyeLeft', 'eyeRight', 'sclera', 'iris'])
    for (const vertex of regions[name] ?? []) eyes[vertex] = 1
  return eyes
}

function oneRow(parameters: FaceParameters, row: number): FaceParameters {
  const pick = <T extends tf.Tensor>(tensor: T): T =>
    tf.slice(tensor, [row, ...tensor.shape.slice(1).map(() => 0)], [1, ...tensor.shape.slice(1)]) as T
  const group = <T extends object>(parts: T): T =>
    Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [
        name,
        part instanceof tf.Tensor ? pick(part) : group(part as object),
      ]),
    ) as T
  return group(parameters)
}

function unit(x: number, y: number, z: number): [number, number, number] {
  const length = Math.hypot(x, y, z) || 1
  return [x / length, y / length, z / length]
}

/** Where a point of the world lies in the crop, pixels. */
function toCrop(p: ArrayLike<number>, camera: Camera, size: number): [x: number, y: number] {
  const away = camera.projection === 'perspective' ? camera.distance - p[2] : camera.distance
  const scale = size / 2 / Math.tan(camera.fieldOfView / 2) / away
  return [size / 2 + scale * p[0], size / 2 - scale * p[1]]
}

/** Blinn-Phong as in `shadeSpecular`. */
function highlight(
  n: ArrayLike<number>,
  toLamp: readonly number[],
  toCamera: readonly number[],
  exponent: number,
): number {
  const h = unit(toLamp[0] + toCamera[0], toLamp[1] + toCamera[1], toLamp[2] + toCamera[2])
  const cosine = n[0] * h[0] + n[1] * h[1] + n[2] * h[2]
  const incidence = Math.min(Math.max((n[0] * toLamp[0] + n[1] * toLamp[1] + n[2] * toLamp[2]) / 0.05, 0), 1)
  return Math.max(cosine, 0) ** exponent * incidence * incidence * (3 - 2 * incidence)
}

function flat({ faceRegion }: FaceAnnotation): Float32Array {
  const [height, width] = faceRegion.shape
  return Float32Array.from({ length: height * width }, (_, i) =>
    faceRegion.get(Math.floor(i / width), i % width),
  )
}

function depthMap(
  ids: Float32Array,
  weights: Float32Array,
  positions: Float32Array,
  model: MorphableModel,
): Float32Array {
  const { triangles, innerMouthTriangles } = model
  return ids.map((id, pixel) => {
    if (id < 0) return -Infinity
    const from = 3 * id < triangles.length ? triangles : innerMouthTriangles
    const first = 3 * id < triangles.length ? 3 * id : 3 * id - triangles.length
    let depth = 0
    for (let corner = 0; corner < 3; corner++)
      depth += weights[3 * pixel + corner] * positions[3 * from[first + corner] + 2]
    return depth
  })
}
