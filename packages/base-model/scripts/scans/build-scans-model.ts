import { writeSafetensors, type SafetensorsEntry } from '@facekit/core'
import { CholeskyDecomposition, Matrix } from 'ml-matrix'
import { gaussianProcessModes } from '../../src/learn/gaussian-process.js'
import { jawContours } from '../../src/learn/jaw-contours.js'
import { packLists, quantizeFields } from '../../src/quantize.js'
import { readCanonicalFace } from '../canonical-face.js'
import { controlArea } from '../control-area.js'
import { denseLandmarks } from '../dense-landmarks.js'
import { makeExpressions } from '../expressions.js'
import { paintMasks } from '../face-masks.js'
import { buildFaceMesh, skinTriangles } from '../face-mesh.js'
import { labelLandmarks68 } from '../face-parts.js'
import { regions } from '../face-sets.js'
import { gazeFields } from '../gaze.js'
import { applyStencils, type Stencil } from '../loop-subdivision.js'
import { makeNeutral } from '../mean-face.js'
import { paintAlbedo, TONES } from './albedo.js'
import { adaptExpressions } from './expressions.js'
import { followLids } from './eyes.js'
import { controlField, halfMesh } from './half-mesh.js'
import type { IctModel } from './ict-model.js'
import { drawnCovariance, principalModes, removeMotions } from './identity.js'
import { sealLips } from './lips.js'
import { makeMeanFace } from './mean.js'
import { registerTemplate } from './register-template.js'
import { transportField } from './transport.js'

export const IDENTITY_MODES = 80
/** The Gaussian process: what scans of others would show. Its modes, deviation in mm, and asymmetric part of the symmetric one. */
const GAUSSIAN = { count: 120, rootMeanSquare: 0.5, asymmetry: 0.4 } as const

/** Between those of women and of men. */
const BROWS = { thickness: 0.62, raise: 0.16 } as const

/** Makes the file of the variant `scans` from the statistics of ICT-FaceKit and `data/canonical-face.json`. */
export function buildScansModel(ict: IctModel, onProgress: (stage: string) => void = () => {}): Uint8Array {
  const canonical = readCanonicalFace()
  const neutral = makeNeutral(canonical)
  const mesh = buildFaceMesh(canonical, neutral)
  const masks = paintMasks(mesh)
  const skin = mesh.skinEnd
  onProgress('registration')
  const registration = registerTemplate(mesh, ict)
  const face = makeMeanFace(mesh, ict, registration)
  const half = halfMesh(mesh)
  const ours = (field: Float32Array) => transportField(registration, face.rotation, field)

  onProgress('identity')
  const drawn = new CholeskyDecomposition(drawnCovariance(ict.identity.length)).lowerTriangularMatrix
    .transpose()
    .mmul(new Matrix(ict.identity.map((field) => [...ours(field)])))
    .to2DArray()
    .map((row) => Float64Array.from(row))
  const control = face.positions.slice(0, 468 * 3)
  const coarse = mesh.stencils.slice(0, skin)
  const smooth = gaussianProcessModes(
    control,
    canonical.mirror,
    controlArea(control, skinTriangles(canonical.triangles)),
    GAUSSIAN,
  ).fields.map((field) => applyStencils(coarse, field))
  const fields = [...drawn, ...smooth]
  removeMotions(fields, face.positions.slice(0, skin * 3), face.area)
  // Each field ends with the motions of the two eyeballs.
  const whole = fields.map((field) => {
    sealLips(face.lips, field, field, () => 0)
    const centers = face.eyes.map((eye) => followLids(eye, field))
    return Float64Array.from([...field, ...centers.flat()])
  })
  const { modes } = principalModes(whole, face.area, IDENTITY_MODES)
  const identity = modes.map((mode) => {
    const points = controlField(half, mode, skin)
    points.set(mode.subarray(skin * 3), half.skinPoints * 3)
    return points
  })

  onProgress('expressions')
  const names = makeExpressions(neutral, canonical.triangles, canonical.mirror, mesh.eyeballs).map(
    ({ name }) => name,
  )
  const expressions = adaptExpressions(
    face,
    new Map([...ict.expressions].map(([name, field]) => [name, ours(field)])),
    names,
  )
  const eyeballs = mesh.eyeballs.map((eyeball) => ({
    ...eyeball,
    center: face.eyes.find(({ side }) => side === eyeball.side)!.center as [number, number, number],
    positions: [
      ...face.positions.subarray(eyeball.start * 3, (eyeball.start + eyeball.distances.length) * 3),
    ],
  }))
  const gaze = gazeFields(expressions, eyeballs)

  const albedo = paintAlbedo(mesh, paintMasks(mesh, BROWS), neutral, canonical.mirror)
  const sets = regions(mesh, masks)
  const dense = denseLandmarks(mesh)
  const count = mesh.stencils.length
  const f32 = (values: Float64Array, width: number): SafetensorsEntry => ({
    shape: [count, width],
    data: Float32Array.from(values),
  })
  const u16 = (values: readonly number[], width: number): SafetensorsEntry => ({
    shape: width === 1 ? [values.length] : [values.length / width, width],
    data: Uint16Array.from(values),
  })
  return writeSafetensors({
    metadata: {
      format: 'facekit-base-model',
      version: '1',
      name: 'facekit-scans',
      license: 'Apache-2.0 AND MIT',
      unit: 'mm',
      origin:
        "Mesh: MediaPipe's canonical face (Apache-2.0), Loop-subdivided twice, with eyeballs. Mean shape, identity and expressions: estimated from samples of ICT-FaceKit (MIT; Copyright (c) 2020 USC Institute for Creative Technologies), registered to that mesh, with a small Gaussian process. Albedo: painted by hand. No photograph went in.",
      expression_names: JSON.stringify(names),
      albedo_names: JSON.stringify(albedo.names),
      region_names: JSON.stringify(Object.keys(sets)),
    },
    tensors: new Map<string, SafetensorsEntry>([
      ['mean', f32(face.positions, 3)],
      ['uv', f32(mesh.uv, 2)],
      ['triangles', u16(mesh.triangles, 3)],
      ['inner_mouth_triangles', u16(mesh.innerMouthTriangles, 3)],
      ['landmarks', u16(labelLandmarks68, 1)],
      ['dense_points', u16(dense.points, 1)],
      ['dense_mirror', u16(dense.mirror, 1)],
      [
        'eyeballs',
        u16(
          mesh.eyeballs.flatMap((e) => e.distances.map((_, v) => e.start + v)),
          1,
        ),
      ],
      ...packLists(
        'jaw_contours',
        jawContours({ ...mesh, mean: face.positions }, labelLandmarks68.slice(0, 17)),
      ),
      ...packLists('regions', Object.values(sets)),
      ...stencilTensors(half.stencils),
      ...quantizeFields('identity', identity, [half.points, 3], 16),
      ...quantizeFields(
        'expression',
        expressions.map(({ field }) => controlField(half, field, skin)),
        [half.points, 3],
        16,
      ),
      ['gaze_modes', u16(gaze.modes, 1)],
      ...quantizeFields('gaze', gaze.fields, [gaze.fields[0].length / 3, 3], 16),
      ['diffuse_mean', f32(albedo.diffuseMean, 3)],
      ['specular_mean', f32(albedo.specularMean, 1)],
      // The tone of all the skin is stored more finely than details: on dark skin steps would show.
      ...quantizeFields('diffuse_tone', albedo.diffuse.slice(0, TONES), [count, 3], 16),
      ...quantizeFields('diffuse_modes', albedo.diffuse.slice(TONES), [count, 3], 8),
      ...quantizeFields('specular_modes', albedo.specular, [count], 8),
    ]),
  })
}

/** Rows of weights, largest first; weights in 1/65535, and the reader divides each row by its sum. */
export function stencilTensors(stencils: readonly Stencil[]): [string, SafetensorsEntry][] {
  const rows = stencils.map((stencil) =>
    [...stencil]
      .map(([vertex, weight]) => [vertex, Math.round(weight * 65535)])
      .filter(([, weight]) => weight > 0),
  )
  return [
    ...packLists(
      'stencil_vertices',
      rows.map((row) => row.map(([vertex]) => vertex)),
    ),
    [
      'stencil_weights',
      { shape: [rows.flat().length], data: Uint16Array.from(rows.flat(), ([, weight]) => weight) },
    ],
  ]
}
