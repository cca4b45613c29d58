import { ModelFormatError } from '@facekit/core'
import { facingOutward, findAxes } from './find-axes.js'
import { landmarkTemplate } from './landmark-template.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { namedLandmarks, publishedLandmarks } from './published-landmarks.js'
import {
  type Similarity3d,
  type Surface,
  TriangleTree,
  applySimilarity3d,
  fitSimilarity3d,
  registerMesh,
  warpByPoints,
} from '@facekit/mesh'
import type { NamedPoint } from '../readers/statismo.js'

/** What may help to find landmarks. */
export interface LandmarkHints {
  /** `[68]` vertices; -1 where not known. Taken on trust where they are no nonsense, else an error. */
  given?: ArrayLike<number>
  /** Named points of a Statismo file. */
  namedPoints?: readonly NamedPoint[]
  /** A model whose landmarks are right, brought onto the mesh where the mesh says nothing itself. */
  template?: MorphableModel
}

/** Landmarks of a mesh, and how it lies to model space. */
export interface LocatedLandmarks {
  /** `[68]` */
  vertices: Int32Array
  /** From the mesh's space to model space, mm. */
  similarity: Similarity3d
  /** Where they come from. */
  source: string
}

/** How far a landmark may be from that of an average face, after a similarity, mm: more than people and the makers of lists
 * differ, less than what a list for another mesh gives. */
const TOLERANCE = 17
const JAW_TOLERANCE = 26
/** Median distance that a list as a whole may have, mm. */
const MEDIAN_TOLERANCE = 7

const template = Float64Array.from(landmarkTemplate)
const tolerance = (landmark: number) => (landmark < 17 ? JAW_TOLERANCE : TOLERANCE)

/** Finds the 68 landmarks of a face mesh: as given, as published for meshes with so many vertices, or by registration; each
 * checked against an average face. What is missing or wrong is filled in from a warped template.
 *
 * @param who - begins the messages
 * @throws {ModelFormatError} when none can be found, or given ones are nonsense
 */
export function locateLandmarks(who: string, surface: Surface, hints: LandmarkHints): LocatedLandmarks {
  const count = surface.positions.length / 3
  if (hints.given) {
    const found = judge(surface, hints.given)
    if (!found || found.rejected.length > 0) {
      const why = found
        ? `landmark ${found.rejected[0]} (vertex ${hints.given[found.rejected[0]]}) is ${found.distances[found.rejected[0]].toFixed(0)} mm from its place`
        : 'they do not form a face'
      throw new ModelFormatError(
        `${who}: the 68 landmarks do not fit the mesh (${why}); expected vertices in the order of iBUG / 300-W`,
      )
    }
    return complete(surface, hints, hints.given, found.similarity, 'given')
  }
  const lists = publishedLandmarks
    .filter(({ vertexCount }) => vertexCount === count)
    .map(({ vertices, source }) => ({ vertices, source, found: judge(surface, vertices) }))
    .filter(({ found }) => found)
  const named = similarityOfNames(hints.namedPoints ?? [])
  if (lists.length > 0) {
    // What one list lacks or has wrong, the next may know.
    const vertices = Int32Array.from({ length: 68 }, (_, i) => {
      const list = lists.find(({ vertices, found }) => vertices[i] >= 0 && !found!.rejected.includes(i))
      return list ? list.vertices[i] : -1
    })
    return complete(surface, hints, vertices, lists[0].found!.similarity, `published (${lists[0].source})`)
  }
  if (named) return complete(surface, hints, new Int32Array(68).fill(-1), named, 'named points of the file')
  if (hints.template) {
    // Which side of a triangle is outside, a file may say the other way round; finding the face needs it.
    const outward = facingOutward(surface)
    const start = findAxes(outward, hints.template)
    const unknown = new Int32Array(68).fill(-1)
    const located = start && complete(outward, hints, unknown, start, 'registration')
    if (located && judge(outward, located.vertices)) return located
    throw new ModelFormatError(
      `${who}: no face was found along any axis of the mesh of ${count} vertices; expected +x to the right of the picture, +y up, +z out of the face, or these axes turned or flipped; pass { landmarks }, 68 vertices`,
    )
  }
  throw new ModelFormatError(
    `${who}: the landmarks of this mesh of ${count} vertices are not known; pass { landmarks }, 68 vertices, or { template }, a model with landmarks such as that of loadBaseModel()`,
  )
}

interface Judgement {
  similarity: Similarity3d
  /** Landmarks that are too far from their place. */
  rejected: number[]
  /** mm; NaN where the list has none. */
  distances: number[]
}

/** How well a list fits the template; undefined where it does not form a face at all. */
function judge({ positions }: Surface, vertices: ArrayLike<number>): Judgement | undefined {
  const count = positions.length / 3
  const known = Array.from({ length: 68 }, (_, i) => i).filter((i) => vertices[i] >= 0 && vertices[i] < count)
  if (vertices.length !== 68 || known.length < 20) return undefined
  const points = new Float64Array(68 * 3)
  for (const i of known) for (let c = 0; c < 3; c++) points[i * 3 + c] = positions[vertices[i] * 3 + c]
  const weights = new Float64Array(68)
  for (const i of known) weights[i] = i < 17 ? 0.3 : 1
  let similarity = fitSimilarity3d(points, template, weights)
  let distances: number[] = []
  for (let round = 0; round < 5; round++) {
    const moved = applySimilarity3d(similarity, points)
    distances = Array.from({ length: 68 }, (_, i) =>
      weights[i] === 0 && vertices[i] < 0
        ? Number.NaN
        : Math.hypot(...[0, 1, 2].map((c) => moved[i * 3 + c] - template[i * 3 + c])),
    )
    const robust = weights.map((w, i) => (w === 0 ? 0 : w / (1 + (distances[i] / 8) ** 2)))
    similarity = fitSimilarity3d(points, template, robust)
  }
  const sorted = known.map((i) => distances[i]).sort((a, b) => a - b)
  const rejected = known.filter((i) => !(distances[i] <= tolerance(i)))
  if (!(sorted[sorted.length >> 1] <= MEDIAN_TOLERANCE) || rejected.length > known.length / 3)
    return undefined
  return { similarity, rejected, distances }
}

function similarityOfNames(points: readonly NamedPoint[]): Similarity3d | undefined {
  const known = points.filter(({ name }) => name in namedLandmarks)
  if (known.length < 6) return undefined
  const from = known.flatMap(({ position }) => position)
  const to = known.flatMap(({ name }) => {
    const at = namedLandmarks[name] * 3
    return landmarkTemplate.slice(at, at + 3)
  })
  const similarity = fitSimilarity3d(from, to)
  const moved = applySimilarity3d(similarity, from)
  const worst = Math.max(...to.map((value, i) => Math.abs(value - moved[i])))
  return worst < JAW_TOLERANCE ? similarity : undefined
}

/** Fills in what is not known, after checking that all fits. */
function complete(
  surface: Surface,
  hints: LandmarkHints,
  known: ArrayLike<number>,
  similarity: Similarity3d,
  source: string,
): LocatedLandmarks {
  const vertices = Int32Array.from({ length: 68 }, (_, i) => known[i])
  const missing = [...vertices.keys()].filter((i) => vertices[i] < 0)
  if (missing.length === 0) return { vertices, similarity, source }
  const places = placesOf(surface, hints, vertices, similarity)
  const moved = applySimilarity3d(similarity, surface.positions)
  const tree = new TriangleTree(moved, surface.triangles)
  for (const i of missing) {
    const found = tree.nearest(places[i * 3], places[i * 3 + 1], places[i * 3 + 2])!
    const corner = found.weights.indexOf(Math.max(...found.weights))
    vertices[i] = surface.triangles[found.triangle + corner]
  }
  // Once all are there they tell the pose better than what they were found from.
  const judged = judge(surface, vertices)
  return { vertices, similarity: judged?.similarity ?? similarity, source }
}

/** Where each landmark should lie on the mesh, model space, mm. */
function placesOf(
  surface: Surface,
  hints: LandmarkHints,
  vertices: Int32Array,
  similarity: Similarity3d,
): Float64Array {
  const moved = applySimilarity3d(similarity, surface.positions)
  const known = [...vertices.keys()].filter((i) => vertices[i] >= 0)
  const pick = (list: ArrayLike<number>, rows: readonly number[]) =>
    Float64Array.from(rows.flatMap((row) => [list[row * 3], list[row * 3 + 1], list[row * 3 + 2]]))
  const to = pick(
    moved,
    known.map((i) => vertices[i]),
  )
  const model = hints.template
  if (model) {
    const mean = model.shape.mean.data
    const start =
      known.length >= 10
        ? {
            points: {
              from: pick(
                mean,
                known.map((i) => model.landmarks[i]),
              ),
              to,
            },
          }
        : { similarity: identitySimilarity }
    const warped = registerMesh(
      { positions: mean, triangles: model.triangles },
      { positions: moved, triangles: surface.triangles },
      start,
    )
    return pick(warped, [...model.landmarks])
  }
  return known.length >= 10 ? warpByPoints(pick(template, known), to, 20)(template) : template
}

const identitySimilarity: Similarity3d = {
  scale: 1,
  rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  translation: [0, 0, 0],
}
