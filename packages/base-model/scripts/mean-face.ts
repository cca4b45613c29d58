import type { CanonicalFace } from './canonical-face.js'
import { lowerLipRings, rightEyeRings, upperLipRings } from './face-parts.js'
import { SmoothDeformation, type Handles, type Vector } from './smooth-deformation.js'
import { skinTriangles } from './face-mesh.js'

/** Opening that is left between the closed lips, mm, as in scanned neutral faces. */
const LIP_GAP = 0.5

/** How far the lids of the canonical face, 7 mm apart, are drawn up and down in the middle of the eye, mm. */
const UPPER_LID = 1.5
const LOWER_LID = 0.4

/** The canonical face with its mouth closed: its inner lips are 5.5 mm apart, but a neutral face has them together and
 * an expression from 0 to 1 can only open them further. The eyes are opened from a squint. `[468 * 3]` mm.
 */
export function makeNeutral(canonical: CanonicalFace): Float64Array {
  const { positions } = canonical
  const handles: Handles = new Map()
  const keep = (vertices: readonly number[], move: Vector = [0, 0, 0]) => {
    for (const vertex of vertices) handles.set(vertex, move)
  }
  keep([2, 97, 326, 164, 61, 291, 76, 306, 62, 292, 78, 308, 205, 425, 98, 327])
  keep([152, 175, 199, 148, 377], [0, 1.2, 0.2])
  const [upper, lower] = [upperLipRings[3], lowerLipRings[3]]
  for (let i = 1; i < upper.length - 1; i++) {
    const [u, l] = [upper[i] * 3, lower[i] * 3]
    const gap = Math.max(positions[u + 1] - positions[l + 1] - LIP_GAP, 0)
    const depth = positions[l + 2] - positions[u + 2]
    keep([upper[i]], [0, -0.4 * gap, 0.3 * depth])
    keep([lower[i]], [0, 0.6 * gap, -0.5 * depth])
    keep([upperLipRings[0][i]], [0, -0.15 * gap, 0])
    keep([lowerLipRings[0][i]], [0, 0.4 * gap, 0])
  }
  const [edge, second, third] = rightEyeRings
  const lid = (vertex: number, y: number, z: number) => {
    for (const i of [vertex, canonical.mirror[vertex]]) handles.set(i, [0, y, z])
  }
  for (const k of [0, 8]) for (const ring of rightEyeRings) lid(ring[k], 0, 0)
  for (let k = 1; k < 8; k++) {
    const height = Math.sin((Math.PI * k) / 8) ** 0.7
    lid(edge[k], UPPER_LID * height, 0)
    lid(second[k], 0.75 * UPPER_LID * height, 0)
    lid(third[k], 0, 0)
    lid(edge[16 - k], -LOWER_LID * height, 0)
    lid(second[16 - k], -0.6 * LOWER_LID * height, 0)
    lid(third[16 - k], 0, 0)
  }
  // The canonical nostrils are shallow.
  for (const [vertex, depth] of [
    [75, 3],
    [59, 1.5],
    [60, 1.5],
    [166, 0],
    [99, 0],
    [240, 0],
    [20, 0],
    [79, 0],
    [48, 0],
    [64, 0],
  ]) {
    for (const i of [vertex, canonical.mirror[vertex]]) handles.set(i, [0, 0.4 * depth, -depth])
  }
  const moved = new SmoothDeformation(positions, skinTriangles(canonical.triangles)).solve(handles)
  return positions.map((value, i) => value + moved[i])
}
