import { ModelFormatError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { cropModel } from '../model/crop-model.js'
import { faceCropMask } from './face-crop.js'
import { findJawContours } from '../landmarks/jaw-contours.js'
import { locateLandmarks } from '../landmarks/locate-landmarks.js'
import { arrangeModes, flatIndices, rowsOf, type ArrayOf } from './model-arrays.js'
import type { MorphableModel } from '../model/morphable-model.js'
import {
  closeMouth,
  findMouthOpening,
  innerMouthLandmarks,
  type MouthOpening,
} from '../landmarks/mouth-opening.js'
import { isTranslation, motionToModelSpace, orientTriangles, turnModes } from './place-model.js'
import { applySimilarity3d } from '@facekit/mesh'
import type { NamedPoint } from './statismo.js'
import { transferAlbedo } from '../transfer/transfer-albedo.js'
import { unwrapMesh } from '../unwrap/unwrap-mesh.js'
import { validateModel } from '../model/validate-model.js'

/** A face model as arrays; only `name`, `mean` and `triangles` must be there. */
export interface ModelArrays {
  name: string
  /** Default: unknown. */
  license?: string
  origin?: string
  /** `[N, 3]`, or `[3N]`. */
  mean: ArrayOf
  /** Modes, one standard deviation each: `[K, N, 3]`, `[N, 3, K]`, `[K, 3N]` or `[3N, K]`. Default none. */
  identity?: ArrayOf
  expression?: ArrayOf
  expressionNames?: readonly string[]
  expressionRange?: readonly [number, number]
  /** `[F, 3]` or `[F * 3]` vertices, from 0. */
  triangles: ArrayOf
  /** `[P, 4]` or `[P * 4]`: the polygons that the triangles were made of, -1 in the fourth place of triangles. */
  polygons?: ArrayOf
  /** `[68]` vertices of iBUG / 300-W, -1 where not known. Default: found, see `template`. */
  landmarks?: ArrayOf
  /** Millimetres that one unit of the arrays stands for. Default: the one of 1000, 10, 1 and 0.001 that makes it a face. */
  millimetres?: number
  /** `[N, 2]` in 0..1, origin at the lower left. Default: the mesh is unwrapped. */
  uv?: ArrayOf
  /** Linear RGB: `[N, 3]` and modes as above. Default: that of `template`, transferred, or grey. */
  diffuseMean?: ArrayOf
  diffuse?: ArrayOf
  specularMean?: ArrayOf
  specular?: ArrayOf
  /** Named sets of vertices. */
  regions?: Readonly<Record<string, ArrayLike<number>>>
  /** `[M, 3]` or `[M * 3]`. Default: what closes the opening between the lips. */
  innerMouthTriangles?: ArrayOf
}

/** Options of `createMorphableModel` and of the readers. */
export interface CreateModelOptions {
  /** A model with landmarks and albedo, e.g. of `loadBaseModel()`: gives both to models that have none of their own. */
  template?: MorphableModel
  /** `'face'` removes ears, neck and the back of the head; `'none'` keeps all. Default `'none'`. */
  crop?: 'face' | 'none'
  /** Begins the messages. Default `createMorphableModel`. */
  who?: string
  /** Named points of the file, which help to find landmarks. */
  namedPoints?: readonly NamedPoint[]
}

/** What is known of the parts that were not given. */
const GREY = 0.35
const SPECULAR = 0.04
/** No surface sends back more than all light; a little more is noise of a measurement. */
const LARGEST_ALBEDO = 1.5

/** Makes a face model of arrays: your own model is one call.
 *
 * Space and unit become those of facekit: the mesh is scaled to millimetres, moved to the origin of the canonical face, turned
 * only if it looks elsewhere than along +z; triangles run counter-clockwise seen from outside. Landmarks are checked, or found;
 * the mouth is closed; jaw contours and texture coordinates are made where they are missing.
 *
 * @throws {ModelFormatError} when sizes do not fit together, numbers are not finite, or no face can be made out
 * @example
 * createMorphableModel({ name: 'mine', mean, identity, triangles }, { template: await loadBaseModel() })
 */
export function createMorphableModel(arrays: ModelArrays, options: CreateModelOptions = {}): MorphableModel {
  const { who = 'createMorphableModel', template, crop = 'none', namedPoints } = options
  const raw = rowsOf(who, 'mean', arrays.mean, 3)
  const count = raw.length / 3
  const triangles = flatIndices(who, 'triangles', arrays.triangles, 3, count)
  const surface = { positions: raw, triangles }
  const given = arrays.landmarks && flatIndices(who, 'landmarks', arrays.landmarks, 1, count, -1)
  const located = locateLandmarks(who, surface, {
    ...(given && { given }),
    ...(namedPoints && { namedPoints }),
    ...(template && { template }),
  })
  const motion = motionToModelSpace(who, located.similarity, arrays.millimetres)
  const mean = Float32Array.from(applySimilarity3d(motion, raw))
  const shapeModes = (name: 'identity' | 'expression') => {
    const modes = arrangeModes(who, name, arrays[name], count)
    return isTranslation(motion) ? modes : ndarray(turnModes(motion, modes.data), modes.shape)
  }
  const identity = shapeModes('identity')
  const expression = shapeModes('expression')
  const polygons = arrays.polygons && flatIndices(who, 'polygons', arrays.polygons, 4, count, -1)
  orientTriangles(mean, triangles, polygons, located.vertices)
  const mouth = findMouthOpening(mean, triangles, middleOfMouth(mean, located.vertices))
  const landmarks = mouth ? withInnerMouth(mean, located.vertices, mouth) : located.vertices
  const innerMouthTriangles = arrays.innerMouthTriangles
    ? flatIndices(who, 'innerMouthTriangles', arrays.innerMouthTriangles, 3, count)
    : closeMouth(mean, mouth ?? openingOfLandmarks(landmarks))
  const albedo = readAlbedo(who, arrays, count)
  const whole: MorphableModel = {
    name: arrays.name,
    license: arrays.license ?? 'unknown',
    origin: arrays.origin ?? `Made of arrays; landmarks: ${located.source}.`,
    vertexCount: count,
    triangles,
    ...(polygons && { polygons }),
    landmarks,
    innerMouthTriangles,
    ...(arrays.uv && { uv: ndarray(rowsOf(who, 'uv', arrays.uv, 2, count), [count, 2]) }),
    ...(arrays.regions && {
      regions: Object.fromEntries(
        Object.entries(arrays.regions).map(([name, list]) => [
          name,
          flatIndices(who, `regions.${name}`, list, 1, count),
        ]),
      ),
    }),
    shape: {
      mean: ndarray(mean, [count, 3]),
      identity,
      expression,
      ...(arrays.expressionNames && { expressionNames: arrays.expressionNames }),
      ...(arrays.expressionRange && { expressionRange: arrays.expressionRange }),
    },
    albedo: albedo.albedo,
    layout: {
      identity: identity.shape[0],
      expression: expression.shape[0],
      albedo: albedo.albedo.diffuse.shape[0],
    },
  }
  validateModel(whole, who)
  const cropped = crop === 'face' ? cropModel(whole, faceCropMask(mean, triangles, landmarks)) : whole
  const positions = cropped.shape.mean.data
  const complete: MorphableModel = {
    ...cropped,
    jawContours: findJawContours(positions, cropped.triangles, cropped.landmarks),
    uv: cropped.uv ?? unwrapMesh(positions, cropped.triangles),
  }
  return albedo.missing && template ? transferAlbedo(complete, { from: template }) : complete
}

function middleOfMouth(positions: ArrayLike<number>, landmarks: Int32Array): [number, number, number] {
  const middle: [number, number, number] = [0, 0, 0]
  for (const vertex of landmarks.subarray(60, 68)) {
    for (let c = 0; c < 3; c++) middle[c] += positions[vertex * 3 + c] / 8
  }
  return middle
}

/** Landmarks whose inner mouth lies on the rim of the opening, each on its own lip; replaced where it does not. */
function withInnerMouth(
  positions: ArrayLike<number>,
  landmarks: Int32Array,
  mouth: MouthOpening,
): Int32Array {
  const upper = new Set(mouth.upper)
  const lower = new Set(mouth.lower)
  const inner = landmarks.subarray(60, 68)
  const right =
    [0, 4].every((i) => upper.has(inner[i]) || lower.has(inner[i])) &&
    [1, 2, 3].every((i) => upper.has(inner[i])) &&
    [5, 6, 7].every((i) => lower.has(inner[i])) &&
    new Set(inner).size === 8
  if (right) return landmarks
  const result = Int32Array.from(landmarks)
  result.set(innerMouthLandmarks(positions, mouth), 60)
  return result
}

/** For a mesh that has no opening: the landmarks of the inner mouth as its rim. */
const openingOfLandmarks = (landmarks: Int32Array): MouthOpening => ({
  upper: Int32Array.of(...[60, 61, 62, 63, 64].map((i) => landmarks[i])),
  lower: Int32Array.of(...[60, 67, 66, 65, 64].map((i) => landmarks[i])),
})

function readAlbedo(
  who: string,
  arrays: ModelArrays,
  count: number,
): { albedo: MorphableModel['albedo']; missing: boolean } {
  const constant = (value: number) => ndarray(new Float32Array(count * 3).fill(value), [count, 3])
  const mean = (name: 'diffuseMean' | 'specularMean', value: number): NdArray<Float32Array> => {
    if (!arrays[name]) return constant(value)
    const rows = rowsOf(who, name, arrays[name], 3, count)
    const largest = rows.reduce((most, each) => Math.max(most, each), 0)
    if (largest > LARGEST_ALBEDO) {
      throw new ModelFormatError(
        `${who}: ${name} holds ${largest}, expected linear RGB in 0..1; divide colours in 0..255 by 255 and raise them to the power 2.2`,
      )
    }
    return ndarray(rows, [count, 3])
  }
  const diffuse = arrangeModes(who, 'diffuse', arrays.diffuse, count)
  const specular = arrays.specular
    ? arrangeModes(who, 'specular', arrays.specular, count)
    : ndarray(new Float32Array(diffuse.data.length), diffuse.shape)
  return {
    albedo: {
      diffuseMean: mean('diffuseMean', GREY),
      diffuse,
      specularMean: mean('specularMean', SPECULAR),
      specular,
    },
    missing: arrays.diffuseMean === undefined && arrays.diffuse === undefined,
  }
}
