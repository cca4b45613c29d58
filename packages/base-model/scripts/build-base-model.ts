import { writeSafetensors, type SafetensorsEntry } from '@facekit/core'
import { diffuseMean, paintModes, smoothModes, specularMean } from './albedo.js'
import { readCanonicalFace } from './canonical-face.js'
import { denseLandmarks } from './dense-landmarks.js'
import { makeExpressions } from './expressions.js'
import { paintMasks } from './face-masks.js'
import { buildFaceMesh, skinTriangles, type FaceMesh } from './face-mesh.js'
import { landmarks68 } from './face-parts.js'
import { regions } from './face-sets.js'
import { gaussianProcessModes } from '../src/learn/gaussian-process.js'
import { gazeFields } from './gaze.js'
import { makeNeutral } from './mean-face.js'
import { jawContours } from '../src/learn/jaw-contours.js'
import { packLists, quantizeFields } from '../src/quantize.js'
import { controlArea } from './control-area.js'

export const IDENTITY_MODES = 80
/** Root mean square over the vertices of a random face's distance from the mean, mm. */
export const IDENTITY_SPREAD = 3.1

/** Makes the base model's file; nothing but `data/canonical-face.json` goes in, and the same bytes come out every time. */
export function buildBaseModel(): Uint8Array {
  const canonical = readCanonicalFace()
  const neutral = makeNeutral(canonical)
  const mesh = buildFaceMesh(canonical, neutral)
  const masks = paintMasks(mesh)
  const identity = gaussianProcessModes(
    neutral,
    canonical.mirror,
    controlArea(neutral, skinTriangles(canonical.triangles)),
    { count: IDENTITY_MODES, asymmetry: 0.18, rootMeanSquare: IDENTITY_SPREAD },
  )
  const expressions = makeExpressions(neutral, canonical.triangles, canonical.mirror, mesh.eyeballs)
  const gaze = gazeFields(expressions, mesh.eyeballs)
  const painted = paintModes(masks)
  const smooth = smoothModes(neutral, canonical.mirror, { light: 10, red: 6 })
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
      name: 'facekit-base',
      license: 'Apache-2.0',
      unit: 'mm',
      origin:
        "Mean: MediaPipe's canonical face (Apache-2.0), mouth closed, eyes a little wider, Loop-subdivided twice, with eyeballs. Identity: a Gaussian process. Expression and albedo: made by hand from anatomy. No person's data went in.",
      expression_names: JSON.stringify(expressions.map(({ name }) => name)),
      albedo_names: JSON.stringify([...painted.names, ...smooth.map(({ name }) => name)]),
      region_names: JSON.stringify(Object.keys(sets)),
    },
    tensors: new Map<string, SafetensorsEntry>([
      ['mean', f32(mesh.mean, 3)],
      ['uv', f32(mesh.uv, 2)],
      ['triangles', u16(mesh.triangles, 3)],
      ['inner_mouth_triangles', u16(mesh.innerMouthTriangles, 3)],
      ['landmarks', u16(landmarks68, 1)],
      ['dense_points', u16(dense.points, 1)],
      ['dense_mirror', u16(dense.mirror, 1)],
      [
        'eyeballs',
        u16(
          mesh.eyeballs.flatMap((e) => e.distances.map((_, v) => e.start + v)),
          1,
        ),
      ],
      ...packLists('jaw_contours', jawContours(mesh, landmarks68.slice(0, 17))),
      ...packLists('regions', Object.values(sets)),
      ...stencilTensors(mesh),
      ...quantizeFields('identity', identity.fields, [468, 3], 16),
      ...quantizeFields(
        'expression',
        expressions.map(({ field }) => field),
        [468, 3],
        16,
      ),
      ['gaze_modes', u16(gaze.modes, 1)],
      ...quantizeFields('gaze', gaze.fields, [gaze.fields[0].length / 3, 3], 16),
      ['diffuse_mean', f32(diffuseMean(masks), 3)],
      ['specular_mean', f32(specularMean(masks), 1)],
      [
        'masks',
        {
          shape: [painted.masks.length, count],
          data: Uint8Array.from(
            painted.masks.flatMap((mask) => [...mask]),
            (value) => Math.round(value * 255),
          ),
        },
      ],
      ...(['paint', 'share'] as const).map((kind): [string, SafetensorsEntry] => [
        `diffuse_${kind}`,
        { shape: [painted.names.length, painted.masks.length, 3], data: painted[kind] },
      ]),
      ['specular_paint', { shape: [painted.names.length, painted.masks.length], data: painted.specular }],
      ...quantizeFields(
        'diffuse_smooth',
        smooth.map(({ diffuse }) => diffuse),
        [468, 3],
        16,
      ),
    ]),
  })
}

/** Rows of weights, largest first; weights in 1/65535, and the reader divides each row by its sum. */
function stencilTensors(mesh: FaceMesh): [string, SafetensorsEntry][] {
  const rows = mesh.stencils.map((stencil) =>
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
