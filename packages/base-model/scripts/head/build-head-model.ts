import { writeSafetensors, type SafetensorsEntry } from '@facekit/core'
import { meshNeighbours, TriangleTree } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'
import { CholeskyDecomposition, Matrix } from 'ml-matrix'
import { quantizeFields } from '../../src/quantize.js'
import { readCanonicalFace } from '../canonical-face.js'
import { buildFaceMesh } from '../face-mesh.js'
import { makeNeutral } from '../mean-face.js'
import { drawnCovariance, removeMotions } from '../scans/identity.js'
import type { IctModel } from '../scans/ict-model.js'
import { makeMeanFace, trianglesOfSkin } from '../scans/mean.js'
import { registerTemplate } from '../scans/register-template.js'
import { transportField } from '../scans/transport.js'
import { fitAffine } from './fit-affine.js'
import { lipLoop } from './lip-loop.js'
import { buildMouth } from './mouth/build-mouth.js'
import { regressRest } from './regress-rest.js'
import { restMesh } from './rest-mesh.js'

/** Height of the cut through the neck in ICT's axes, mm: where the neck begins to widen. */
const NECK = -109
/** ICT-FaceKit's triangles of gums, tongue and teeth: what tells where a person's are. */
const SOLID = [28_068, 42_571] as const
/** Points of the face that tell what the rest is like, and modes of that. */
const [POINTS, MODES] = [240, 40]

/** Makes the file of what a head has beyond the face, from samples of ICT-FaceKit's people.
 *
 * What is inside of the mouth is made of measures of dental anatomy, see `buildMouth`; the samples tell where a person's is.
 *
 * @param model - the base model that was made from the same samples
 * @param ict - its face, `whole` its face, head and neck, `all` all of it up to the teeth
 */
export async function buildHeadModel(
  model: MorphableModel,
  ict: IctModel,
  whole: IctModel,
  all: IctModel,
  onProgress: (stage: string) => void = () => {},
): Promise<Uint8Array> {
  const canonical = readCanonicalFace()
  const mesh = buildFaceMesh(canonical, makeNeutral(canonical))
  const skin = mesh.skinEnd
  onProgress('registration')
  const registration = registerTemplate(mesh, ict)
  const face = makeMeanFace(mesh, ict, registration)
  onProgress('mesh')
  const triangles = Int32Array.from(trianglesOfSkin(mesh))
  const rest = await restMesh(
    { positions: whole.mean, triangles: whole.triangles },
    { positions: registration.positions, triangles },
    NECK,
  )
  const first = rest.rim.length
  const count = rest.positions.length / 3 - first
  // Each vertex beyond the rim on ICT's surface; the middle of the cut is not, and follows what is next to it.
  const tree = new TriangleTree(whole.mean, whole.triangles)
  const corners = new Int32Array(3 * count)
  const weights = new Float64Array(3 * count)
  for (let v = 0; v < count; v++) {
    const [x, y, z] = rest.positions.subarray(3 * (first + v), 3 * (first + v) + 3)
    const near = tree.nearest(x, y, z)!
    for (let k = 0; k < 3; k++) {
      corners[3 * v + k] = whole.triangles[near.triangle + k]
      weights[3 * v + k] = near.weights[k]
    }
  }
  const places = { positions: rest.positions, corners, weights, trusted: new Uint8Array(count) }

  onProgress('regression')
  const root = new CholeskyDecomposition(
    drawnCovariance(ict.identity.length),
  ).lowerTriangularMatrix.transpose()
  const drawn = (fields: Float64Array[]) =>
    root.mmul(new Matrix(fields.map((field) => [...field]))).to2DArray()
  const faces = drawn(ict.identity.map((field) => transportField(registration, face.rotation, field)))
  const rests = drawn(whole.identity.map((field) => transportField(places, face.rotation, field)))
  const solid = verticesOf(all.triangles, SOLID)
  const inMouth = {
    positions: Float64Array.from(solid.flatMap((v) => [...all.mean.subarray(3 * v, 3 * v + 3)])),
    corners: Int32Array.from({ length: 3 * solid.length }, (_, i) => solid[Math.floor(i / 3)]),
    weights: Float64Array.from({ length: 3 * solid.length }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    trusted: new Uint8Array(solid.length),
  }
  const mouths = drawn(all.identity.map((field) => transportField(inMouth, face.rotation, field)))
  const mouthPlaces = turnedRest(inMouth.positions, registration.positions, face)
  const positions = Float64Array.from([
    ...face.positions.subarray(0, 3 * skin),
    ...turnedRest(rest.positions.subarray(3 * first), registration.positions, face),
  ])
  const restEnd = positions.length
  const everything = Float64Array.from([...positions, ...mouthPlaces])
  const fields = faces.map((row, k) => Float64Array.from([...row, ...rests[k], ...mouths[k]]))
  removeMotions(fields, everything, face.area)
  const points = spreadPoints(face.positions, skin, POINTS)
  const pick = (field: Float64Array) =>
    Float64Array.from({ length: 3 * points.length }, (_, i) => field[3 * points[Math.floor(i / 3)] + (i % 3)])
  // The face's border is regressed, too: how far it is off tells how to bend what is next to it.
  const border = ringsFrom(rest.rim, triangles, skin)
  const banded = (field: Float64Array) => Float64Array.from(restOf(field.subarray(0, restEnd), skin, border))
  const found = regressRest(
    fields.map(pick),
    fields.map(banded),
    MODES,
    fields.map((field) => field.slice(restEnd)),
  )
  // People's jaws differ by size, place and slope: teeth and gums by 0.3 mm beyond an affine function.
  const triple = (from: ArrayLike<number>, v: number) => [from[3 * v], from[3 * v + 1], from[3 * v + 2]]
  const affine = found.followers.map((field) =>
    fitAffine(
      solid.map((_, i) => triple(mouthPlaces, i)),
      solid.map((_, i) => triple(field, i)),
    ),
  )
  const lips = lipLoop(triangles, face.positions)
  const lipsMean = Float64Array.from(lips.flatMap((v) => triple(face.positions, v)))
  const mouth = buildMouth(model, lips)
  onProgress(
    `${count} vertices beyond a rim of ${first}; ${(100 * found.explained).toFixed(1)} % of their variance is told by the face`,
  )

  const u16 = (values: ArrayLike<number>, width: number): SafetensorsEntry => ({
    shape: width === 1 ? [values.length] : [values.length / width, width],
    data: Uint16Array.from(values),
  })
  const u8 = (shares: readonly number[]): SafetensorsEntry => ({
    shape: [shares.length],
    data: Uint8Array.from(shares, (x) => Math.round(255 * x)),
  })
  const f32 = (values: Float64Array): SafetensorsEntry => ({
    shape: [values.length / 3, 3],
    data: Float32Array.from(values),
  })
  return writeSafetensors({
    metadata: {
      format: 'facekit-head-model',
      version: '3',
      name: 'facekit-head',
      license: 'Apache-2.0 AND MIT',
      unit: 'mm',
      mouth_motions: JSON.stringify(mouth.motionNames),
      origin:
        'What a head has beyond the face of the base model: its mean, and a regression from points of the face, estimated from samples of ICT-FaceKit (MIT; Copyright (c) 2020 USC Institute for Creative Technologies), on a mesh of its own. Teeth, gums and tongue: made of measures of dental anatomy; how a person moves and sizes them is estimated in the same way.',
    },
    tensors: new Map<string, SafetensorsEntry>([
      ['border', u16(border, 1)],
      ['rim_length', u16([first], 1)],
      ['triangles', u16(rest.triangles, 3)],
      ['mean', f32(positions.slice(3 * skin))],
      ['points', u16(points, 1)],
      ['points_mean', f32(pick(positions))],
      [
        'border_mean',
        f32(Float64Array.from(border.flatMap((v) => [...positions.subarray(3 * v, 3 * v + 3)]))),
      ],
      ...quantizeFields('fields', found.fields, [border.length + count, 3], 16),
      [
        'weights',
        {
          shape: [MODES, points.length, 3],
          data: Float32Array.from(found.weights.flatMap((row) => [...row])),
        },
      ],
      ['mouth_mean', f32(Float64Array.from(mouth.positions))],
      ['mouth_triangles', u16(mouth.triangles, 3)],
      ['mouth_ends', u16(mouth.ends, 1)],
      ['mouth_jaw', u8(mouth.jaw)],
      ['mouth_reach', u8(mouth.reach)],
      ['mouth_tint', u8(mouth.tint)],
      ['mouth_motions', { shape: [mouth.motions.length, 12], data: Float32Array.from(mouth.motions.flat()) }],
      ['mouth_affine', { shape: [MODES, 12], data: Float32Array.from(affine.flat()) }],
      ['mouth_lips', u16(lips, 1)],
      ['mouth_lips_mean', f32(lipsMean)],
      [
        'mouth_nearest',
        u16(
          mouth.ties.map(({ nearest }) => nearest),
          1,
        ),
      ],
      ['mouth_shares', u8(mouth.ties.map(({ share }) => share))],
    ]),
  })
}

/** Every fifth vertex of some triangles. @param range - the first and the last triangle */
function verticesOf(triangles: Int32Array, [first, last]: readonly [number, number]): number[] {
  return [...new Set(triangles.subarray(3 * first, 3 * last + 3))].filter((_, i) => i % 5 === 0)
}

/** A rim and the two rings of vertices next to it, ring by ring. */
function ringsFrom(rim: Int32Array, triangles: Int32Array, count: number): number[] {
  const { start, list } = meshNeighbours(triangles, count)
  const border = new Set<number>(rim)
  for (let ring = 0; ring < 2; ring++) {
    const before = Array.from(border)
    for (const v of before) for (let i = start[v]; i < start[v + 1]; i++) border.add(list[i])
  }
  return [...border]
}

/** The border's part of a field, and that of the rest behind it. */
function restOf(field: Float64Array, skin: number, border: readonly number[]): number[] {
  return [...border.flatMap((v) => [...field.subarray(3 * v, 3 * v + 3)]), ...field.subarray(3 * skin)]
}

/** Points of ICT's space in that of the mean face: turned, and moved as the face was. */
function turnedRest(
  points: Float64Array,
  registered: Float64Array,
  { positions, rotation, area }: { positions: Float64Array; rotation: Float64Array; area: Float64Array },
): Float64Array {
  const turn = (from: Float64Array, v: number) =>
    [0, 1, 2].map((r) => [0, 1, 2].reduce((sum, c) => sum + rotation[3 * r + c] * from[3 * v + c], 0))
  const offset = [0, 0, 0]
  const total = area.reduce((sum, value) => sum + value, 0)
  for (let v = 0; v < area.length; v++)
    turn(registered, v).forEach(
      (value, c) => (offset[c] += (area[v] * (positions[3 * v + c] - value)) / total),
    )
  const result = new Float64Array(points.length)
  for (let v = 0; 3 * v < points.length; v++)
    turn(points, v).forEach((value, c) => (result[3 * v + c] = value + offset[c]))
  return result
}

/** Vertices spread over the skin: each next one is the farthest from those before it, from the first vertex on. */
function spreadPoints(positions: Float64Array, skin: number, count: number): number[] {
  const distances = new Float64Array(skin).fill(Infinity)
  const points = [0]
  while (points.length < count) {
    const last = points.at(-1)!
    let farthest = 0
    for (let v = 0; v < skin; v++) {
      const squared = [0, 1, 2].reduce(
        (sum, c) => sum + (positions[3 * v + c] - positions[3 * last + c]) ** 2,
        0,
      )
      distances[v] = Math.min(distances[v], squared)
      if (distances[v] > distances[farthest]) farthest = v
    }
    points.push(farthest)
  }
  return points
}
