import { readFileSync } from 'node:fs'
import { createRandom, readSafetensors } from '@facekit/core'
import { alignPoints, moveAligned } from '../src/align-points.js'
import { readCanonicalFace } from './canonical-face.js'
import { controlArea } from './control-area.js'
import { skinTriangles } from './face-mesh.js'
import { landmarks68 } from './face-parts.js'
import { SmoothDeformation, type Handles } from './smooth-deformation.js'

/** Vertices of ICT-FaceKit's face part. */
const FACE_VERTICES = 9409
const CONTROL = 468

/** ICT-FaceKit's people at the base model's control vertices. */
export interface IctPeople {
  /** ICT's vertex for each control vertex. */
  nearest: Int32Array
  /** `[468 * 3]` mm: ICT's mean face at the control vertices, aligned with ours. */
  mean: Float64Array
  /** Differences from ICT's mean, aligned, each `[468 * 3]`, multiplied by the root of the vertex's share of area. */
  people: number[][]
  /** `[468]` those roots. */
  root: Float64Array
}

/** Random people of ICT-FaceKit (statistics of scans), registered to our control vertices.
 *
 * @param mean - `[468 * 3]` mm, our mean
 */
export function readIctPeople(
  mean: Float64Array,
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
  const skin = skinTriangles(readCanonicalFace().triangles)
  const weights = controlArea(mean, skin)
  const totalWeight = weights.reduce((sum, w) => sum + w, 0)
  const pick = (points: ArrayLike<number>, vertices: readonly number[]) =>
    Float64Array.from(vertices.flatMap((v) => [points[v * 3], points[v * 3 + 1], points[v * 3 + 2]]))
  // Without the jaw line's landmarks: those lie at other places in the two meshes.
  const inner = Array.from({ length: 51 }, (_, i) => i + 17)
  const ictInner = inner.map((l) => Number(ictLandmarks[l]))
  const ourInner = inner.map((l) => landmarks68[l])
  const ones = new Float64Array(inner.length).fill(1)
  const aligned = moveAligned(alignPoints(pick(ictMean, ictInner), pick(mean, ourInner), ones), ictMean)

  // Bend our mean onto ICT's by the landmarks, then by the nearest points, a few times.
  const surface = new SmoothDeformation(mean, skin, { stretch: 0.004 })
  const to = (ict: number, ours: number) =>
    [0, 1, 2].map((c) => aligned[ict * 3 + c] - mean[ours * 3 + c]) as [number, number, number]
  const handles: Handles = new Map(ourInner.map((v, k) => [v, to(ictInner[k], v)]))
  const nearest = new Int32Array(CONTROL)
  for (let round = 0; round < 6; round++) {
    const moved = surface.solve(handles, round === 0 ? 100 : 0.05)
    for (let v = 0; v < CONTROL; v++) {
      let best = Infinity
      for (let j = 0; j < FACE_VERTICES; j++) {
        let d = 0
        for (let c = 0; c < 3; c++) d += (aligned[j * 3 + c] - mean[v * 3 + c] - moved[v * 3 + c]) ** 2
        if (d < best) {
          best = d
          nearest[v] = j
        }
      }
      handles.set(v, to(nearest[v], v))
    }
    ourInner.forEach((v, k) => (nearest[v] = ictInner[k]))
  }
  const scan = (coefficients: readonly number[]) => {
    const shape = new Float64Array(CONTROL * 3)
    for (let v = 0; v < CONTROL; v++) {
      for (let c = 0; c < 3; c++) {
        let value = ictMean[nearest[v] * 3 + c]
        coefficients.forEach((b, k) => (value += 10 * b * ictBasis[(k * ictCount + nearest[v]) * 3 + c]))
        shape[v * 3 + c] = value
      }
    }
    return shape
  }
  const neutral = moveAligned(alignPoints(scan([]), mean, weights), scan([]))
  const random = createRandom(seed)
  const root = weights.map((w) => Math.sqrt(w / totalWeight))
  const people = Array.from({ length: count }, () => {
    const shape = scan(Array.from({ length: 100 }, () => random.normal()))
    const placed = moveAligned(alignPoints(shape, neutral, weights), shape)
    return Array.from(placed, (value, i) => (value - neutral[i]) * root[Math.floor(i / 3)])
  })
  return { nearest, mean: neutral, people, root }
}
