import { readFileSync } from 'node:fs'
import { createRandom, readSafetensors } from '@facekit/core'
import { alignPoints, moveAligned } from '../src/learn/align-points.js'
import { readCanonicalFace } from './canonical-face.js'
import { closestOnTriangles, type SurfacePoint } from './closest-on-triangles.js'
import { controlArea } from './control-area.js'
import { skinTriangles } from './face-mesh.js'
import { landmarks68 } from './face-parts.js'
import { SmoothDeformation, type Handles, type Vector } from './smooth-deformation.js'

/** Triangles of ICT-FaceKit's face part. */
const FACE_TRIANGLES = 18_460
const CONTROL = 468
/** How closely the bent mean follows the landmarks, and then the closest points, round by round. */
const STRENGTHS = [1, 0.01, 0.02, 0.05, 0.05, 0.1, 0.1]

/** ICT-FaceKit's people at the base model's control vertices. */
export interface IctPeople {
  /** `[468 * 3]` mm: ICT's mean face at the control vertices, aligned with ours. */
  mean: Float64Array
  /** Differences from ICT's mean, aligned, each `[468 * 3]`, multiplied by the root of the vertex's share of area. */
  people: number[][]
  /** `[K][468 * 3]` ICT's own modes, as the differences. */
  modes: number[][]
  /** `[468]` those roots. */
  root: Float64Array
}

/** Random people of ICT-FaceKit (statistics of scans), registered to our control vertices: our mean is bent onto ICT's by the
 * 51 inner landmarks, then by closest points of the surface with falling stiffness.
 *
 * @param mean - `[468 * 3]` mm, our mean
 * @param landmarks - `[68 * 3]` mm, places of the landmarks on our mean
 */
export function readIctPeople(
  mean: Float64Array,
  landmarks: ArrayLike<number>,
  options: { path?: string | URL; people?: number; seed?: number } = {},
): IctPeople {
  const {
    path = new URL('../../../../shared/data/ict-facekit/ict-facekit.safetensors', import.meta.url),
    people: count = 50,
    seed = 11,
  } = options
  const { tensors } = readSafetensors(readFileSync(path), 'readIctPeople')
  const array = (name: string) => tensors.get(name)!.data
  const ictMean = Float64Array.from(array('mean'), (cm) => cm * 10)
  const ictLandmarks = array('landmarks68')
  const ictBasis = array('identity_basis')
  const ictCount = ictMean.length / 3
  const ictTriangles = Int32Array.from(array('triangles').slice(0, FACE_TRIANGLES * 3) as Int32Array)
  const skin = skinTriangles(readCanonicalFace().triangles)
  const weights = controlArea(mean, skin)
  const totalWeight = weights.reduce((sum, w) => sum + w, 0)
  // Without the jaw line's landmarks: those lie at other places in the two meshes.
  const inner = Array.from({ length: 51 }, (_, i) => i + 17)
  const from = Float64Array.from(
    inner.flatMap((l) => [0, 1, 2].map((c) => ictMean[Number(ictLandmarks[l]) * 3 + c])),
  )
  const to = Float64Array.from(inner.flatMap((l) => [0, 1, 2].map((c) => landmarks[l * 3 + c])))
  const alignment = alignPoints(from, to, new Float64Array(inner.length).fill(1))
  const aligned = moveAligned(alignment, ictMean)

  const surface = new SmoothDeformation(mean, skin, { stretch: 0.004 })
  const places = moveAligned(alignment, from)
  // What a landmark moves by, the control vertex nearest to it moves by.
  const handles: Handles = new Map(
    inner.map((l, k) => [
      landmarks68[l],
      [0, 1, 2].map((c) => places[k * 3 + c] - to[k * 3 + c]) as unknown as Vector,
    ]),
  )
  let found: SurfacePoint[] = []
  for (const strength of STRENGTHS) {
    const moved = surface.solve(handles, strength)
    const points = mean.map((value, i) => value + moved[i])
    found = closestOnTriangles(points, aligned, ictTriangles, skin)
    found.forEach(({ point }, v) => {
      handles.set(v, point.map((value, c) => value - mean[v * 3 + c]) as unknown as Vector)
    })
  }
  const at = (field: (vertex: number, axis: number) => number) =>
    Float64Array.from({ length: CONTROL * 3 }, (_, i) => {
      const { corners, shares } = found[Math.floor(i / 3)]
      return corners.reduce((sum, vertex, k) => sum + shares[k] * field(vertex, i % 3), 0)
    })
  const own = Array.from({ length: 100 }, (_, k) =>
    at((vertex, axis) => 10 * ictBasis[(k * ictCount + vertex) * 3 + axis]),
  )
  const rest = at((vertex, axis) => ictMean[vertex * 3 + axis])
  const neutral = moveAligned(alignPoints(rest, mean, weights), rest)
  const random = createRandom(seed)
  const root = weights.map((w) => Math.sqrt(w / totalWeight))
  const difference = (shape: Float64Array) => {
    const placed = moveAligned(alignPoints(shape, neutral, weights), shape)
    return Array.from(placed, (value, i) => (value - neutral[i]) * root[Math.floor(i / 3)])
  }
  const people = Array.from({ length: count }, () => {
    const shape = rest.slice()
    for (const mode of own) {
      const b = random.normal()
      for (let i = 0; i < shape.length; i++) shape[i] += b * mode[i]
    }
    return difference(shape)
  })
  return {
    mean: neutral,
    people,
    modes: own.map((mode) => difference(rest.map((v, i) => v + mode[i]))),
    root,
  }
}
