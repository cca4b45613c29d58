import type { CanonicalFace } from './canonical-face.js'
import { buildEyeballs, type Eyeball } from './eyeballs.js'
import { lowerLipRings, rightEyeRings, upperLipRings } from './face-parts.js'
import {
  applyStencils,
  combine,
  edgeKey,
  loopSubdivide,
  splitTriangles,
  type Stencil,
  type StencilMesh,
} from './loop-subdivision.js'

/** The base model's mesh: skin, inner mouth, lid margins, eyeballs, in this order. */
export interface FaceMesh {
  /** Each vertex as a weighted sum of the 468 control vertices' displacements. */
  stencils: Stencil[]
  /** `[N * 3]` mm, mean face. */
  mean: Float64Array
  /** `[N * 2]` */
  uv: Float64Array
  triangles: number[]
  innerMouthTriangles: number[]
  /** The first of the two subdivisions, and the vertex in the middle of each edge of the first and the second one by `edgeKey`. */
  half: StencilMesh
  middles: [Map<number, number>, Map<number, number>]
  /** Edges in whose middle the inner mouth's own vertices lie, in their order; the lids' edge vertices that the margins' come from. */
  patchEdges: [number, number][]
  lidEdges: number[]
  /** First vertex after the skin, the inner mouth and the lid margins. */
  skinEnd: number
  mouthEnd: number
  lidEnd: number
  eyeballs: Eyeball[]
}

const innerLips = new Set<number>([...upperLipRings[3], ...lowerLipRings[3]])
const rightLids = new Set<number>(rightEyeRings[0])
/** How far the edge of a lid reaches towards the eyeball, mm. */
const LID_THICKNESS = 4.5

function triplets(triangles: readonly number[]): number[][] {
  return Array.from({ length: triangles.length / 3 }, (_, t) => triangles.slice(t * 3, t * 3 + 3))
}

/** The canonical triangles without those that cover the eyes and the mouth. */
export function skinTriangles(triangles: readonly number[], mirror?: readonly number[]): number[] {
  const leftLids = mirror ? new Set([...rightLids].map((i) => mirror[i])) : LEFT_LIDS
  return triplets(triangles)
    .filter((t) => ![innerLips, rightLids, leftLids].some((set) => t.every((i) => set.has(i))))
    .flat()
}
const LEFT_LIDS = new Set([263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249])

/** Control positions whose subdivided surface passes (nearly) through the wanted ones: Loop's scheme shrinks otherwise. */
function sharpen(stencils: readonly Stencil[], wanted: Float64Array): Float64Array {
  let control = wanted.slice()
  for (let round = 0; round < 1; round++) {
    const smooth = applyStencils(stencils.slice(0, wanted.length / 3), control)
    control = control.map((value, i) => value + 0.7 * (wanted[i] - smooth[i]))
  }
  return control
}

/** Subdivides twice, closes the mouth opening with a patch of its own, adds lid margins and eyeballs.
 *
 * @param neutral - `[468 * 3]` mm, wanted positions of the control vertices
 */
export function buildFaceMesh(canonical: CanonicalFace, neutral: Float64Array): FaceMesh {
  const count = neutral.length / 3
  const identity = Array.from({ length: count }, (_, i): Stencil => new Map([[i, 1]]))
  const first = loopSubdivide({ stencils: identity, triangles: skinTriangles(canonical.triangles) })
  const second = loopSubdivide(first)
  const stencils = second.stencils
  const triangles = [...second.triangles]
  const skinEnd = stencils.length

  // Inner mouth: its border takes the lips' own vertices, so that lips and patch never come apart.
  let patch = triplets(canonical.triangles)
    .filter((t) => t.every((i) => innerLips.has(i)))
    .flat()
  const patchEdges: [number, number][] = []
  for (const level of [first, second]) {
    const added = new Map<number, number>()
    patch = splitTriangles(patch, (a, b) => {
      const key = edgeKey(a, b)
      const shared = level.edgeVertices.get(key) ?? added.get(key)
      if (shared !== undefined) return shared
      added.set(key, stencils.length)
      patchEdges.push([a, b])
      return (
        stencils.push(
          combine([
            [stencils[a], 0.5],
            [stencils[b], 0.5],
          ]),
        ) - 1
      )
    })
  }
  const mouthEnd = stencils.length

  const control = sharpen(stencils, neutral)
  const mean = [...applyStencils(stencils, control)]
  const uv = [...applyStencils(stencils, canonical.uv, 2)]
  const eyeballs = buildEyeballs(neutral, canonical.mirror)

  // Lid margins: a strip from the edge of the lids to the eyeball.
  const lidEdges: number[] = []
  for (const { lids, center } of eyeballs) {
    const loop = lidLoop(lids, first.edgeVertices, second.edgeVertices)
    const uvCenter = [0, 1].map((c) => loop.reduce((sum, i) => sum + uv[i * 2 + c], 0) / loop.length)
    const start = stencils.length
    for (const i of loop) {
      const away = [0, 1, 2].map((c) => mean[i * 3 + c] - center[c])
      const length = Math.hypot(...away)
      mean.push(...away.map((value, c) => mean[i * 3 + c] - (value / length) * LID_THICKNESS))
      uv.push(...uvCenter.map((value, c) => uv[i * 2 + c] + 0.15 * (value - uv[i * 2 + c])))
      stencils.push(stencils[i])
      lidEdges.push(i)
    }
    // The right loop runs clockwise in the picture, its mirror image the other way.
    const clockwise = lids[0] === rightEyeRings[0][0]
    for (let k = 0; k < loop.length; k++) {
      const next = (k + 1) % loop.length
      const quad = [loop[k], loop[next], start + next, start + k]
      const [a, b, c, d] = clockwise ? quad.toReversed() : quad
      triangles.push(a, b, c, a, c, d)
    }
  }
  const lidEnd = stencils.length

  for (const eyeball of eyeballs) {
    const start = stencils.length
    eyeball.start = start
    mean.push(...eyeball.positions)
    uv.push(...eyeball.uv)
    stencils.push(...eyeball.stencils)
    triangles.push(...eyeball.triangles.map((i) => i + start))
  }
  return {
    stencils,
    mean: Float64Array.from(mean),
    uv: Float64Array.from(uv),
    triangles,
    innerMouthTriangles: patch,
    half: first,
    patchEdges,
    lidEdges,
    middles: [first.edgeVertices, second.edgeVertices],
    skinEnd,
    mouthEnd,
    lidEnd,
    eyeballs,
  }
}

/** The lid edge of the subdivided mesh, in the order of the control vertices. */
function lidLoop(lids: readonly number[], ...levels: Map<number, number>[]): number[] {
  let loop = [...lids]
  for (const edges of levels) {
    loop = loop.flatMap((a, k) => [a, edges.get(edgeKey(a, loop[(k + 1) % loop.length]))!])
  }
  return loop
}
