import { ShapeError, ValueError } from '@facekit/core'
import { applySimilarity3d, boundaryLoops, fitSimilarity3d } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'
import { azimuthalUv } from './azimuthal-uv.js'
import type { HeadModel } from './head-model.js'
import { inverseSimilarity, placeMouth, type MouthCompletion } from './place-mouth.js'
import { SmoothExtension } from './smooth-extension.js'

/** What a head has beyond one person's face, and how the face's own fields go on over it. R vertices of the face's rim, M beyond. */
export interface HeadCompletion {
  /** `[R]` the face's vertices along its rim. */
  rim: Int32Array
  /** `[M * 3]` mm, in the space of the face. */
  vertices: Float32Array
  /** `[F * 3]` below R places in the rim, from there on vertices of the rest; counter-clockwise seen from outside. */
  triangles: Int32Array
  /** `[(R + M) * 2]` places in a disc within 0..1, the rim outside. */
  uv: Float32Array
  /** How the rest follows when the face's vertices move, as in a blend shape: slopes go on at the rim, and the movement fades over some 10 cm.
   *
   * @param offsets - `[N * 3]` of the face
   * @returns `[M * 3]`
   */
  follow(offsets: ArrayLike<number>): Float32Array
  /** How three numbers for each vertex, such as a colour, go on from the rim; far from it they become `far`. None is beyond those around it.
   *
   * @param rimValues - `[R * 3]`
   * @returns `[M * 3]`
   */
  spread(rimValues: ArrayLike<number>, far: readonly [number, number, number]): Float32Array
  /** Teeth, gums, tongue and what is around them: a mesh of its own. */
  mouth: MouthCompletion
}

/** What a plate and a membrane over edges of 6 mm need to fade over about 10 cm: see `SmoothExtension`. */
const [PLATE_DECAY, MEMBRANE_DECAY] = [1.2e-5, 0.012]

/** Completes a face of the base model to a head: ears, neck and the back, and what is inside of the mouth.
 *
 * From points of the face a linear regression tells the rest (the conditional mean, over people of known shape); what it is off by along the rim bends it there, so
 * that position and slope go on. The mesh is closed but for the openings that the face has, and ends in a plane through the neck.
 *
 * @param neutral - `[N * 3]` mm, the face without an expression and a pose, of any variant of the base model
 * @throws {ValueError} when the face is of a model whose rim is not that of the base model
 * @throws {ShapeError} when `neutral` is not `[N * 3]`
 */
export function completeHead(
  head: HeadModel,
  model: MorphableModel,
  neutral: ArrayLike<number>,
): HeadCompletion {
  const { border, rimLength, mean, triangles } = head
  if (neutral.length !== 3 * model.vertexCount)
    throw new ShapeError(`completeHead: neutral is [${neutral.length}], expected [${3 * model.vertexCount}]`)
  const rim = border.slice(0, rimLength)
  const onRim = new Set(rim)
  if (
    !boundaryLoops(model.triangles).some(
      (loop) => loop.length === rimLength && loop.every((v) => onRim.has(v)),
    )
  )
    throw new ValueError(
      `completeHead: the rim of model "${model.name}" is not that of the base model; use the base model`,
    )
  const first = border.length
  const count = mean.length / 3
  const { plate, membrane } = extensions(head, model.triangles)
  const pick = (from: ArrayLike<number>, vertices: Int32Array) =>
    Float64Array.from(
      { length: 3 * vertices.length },
      (_, i) => from[3 * vertices[Math.floor(i / 3)] + (i % 3)],
    )
  const points = pick(neutral, head.points)
  const toMean = fitSimilarity3d(points, head.pointsMean)
  const distances = applySimilarity3d(toMean, points).map((value, i) => value - head.pointsMean[i])
  const told = new Float64Array(3 * (first + count))
  const amounts = head.weights.map((row) => row.reduce((sum, weight, i) => sum + weight * distances[i], 0))
  for (const [k, field] of head.fields.entries()) {
    const amount = amounts[k]
    for (let i = 0; i < told.length; i++) told[i] += amount * field[i]
  }
  const off = new Float64Array(told.length)
  applySimilarity3d(toMean, pick(neutral, border)).forEach(
    (value, i) => (off[i] = value - head.borderMean[i] - told[i]),
  )
  plate.fill(off, 3)
  const there = Float64Array.from(mean, (value, i) => value + told[3 * first + i] + off[3 * first + i])
  return {
    rim,
    vertices: Float32Array.from(applySimilarity3d(inverseSimilarity(toMean), there)),
    triangles,
    uv: azimuthalUv(head),
    mouth: placeMouth(head.mouth, amounts, toMean, applySimilarity3d(toMean, pick(neutral, head.mouth.lips))),
    follow(offsets) {
      const values = new Float64Array(3 * (first + count))
      values.set(pick(offsets, border))
      plate.fill(values, 3)
      return Float32Array.from(values.subarray(3 * first))
    },
    spread(rimValues, far) {
      const values = new Float64Array(3 * (first + count))
      // The rings behind the rim have no edge to the rest: whatever they hold does not count.
      for (let i = 0; i < 3 * rimLength; i++) values[i] = rimValues[i] - far[i % 3]
      membrane.fill(values, 3)
      return Float32Array.from(values.subarray(3 * first), (value, i) => value + far[i % 3])
    },
  }
}

interface Extensions {
  /** The face's triangles that they were made for. */
  face: Int32Array
  plate: SmoothExtension
  membrane: SmoothExtension
}

const made = new WeakMap<HeadModel, Extensions>()

/** What continues fields beyond the rim: the same for all people. */
function extensions(head: HeadModel, face: Int32Array): Extensions {
  const before = made.get(head)
  if (before?.face === face) return before
  const surface = withBorder(head, face)
  const first = head.border.length
  const known = new Uint8Array(first + head.mean.length / 3).fill(1, 0, first)
  const result = {
    face,
    plate: new SmoothExtension(surface, known, { order: 2, decay: PLATE_DECAY }),
    membrane: new SmoothExtension(surface, known, { order: 1, decay: MEMBRANE_DECAY }),
  }
  made.set(head, result)
  return result
}

/** Triangles of the rest, and of the face those between vertices of the border: numbered border first, then rest. */
function withBorder({ border, rimLength, triangles }: HeadModel, face: Int32Array): Int32Array {
  const place = new Map(Array.from(border, (v, i) => [v, i]))
  const inside: number[] = []
  for (let t = 0; t < face.length; t += 3) {
    const corners = [0, 1, 2].map((k) => place.get(face[t + k]))
    if (corners.every((corner) => corner !== undefined)) inside.push(...(corners as number[]))
  }
  const rest = triangles.map((v) => (v < rimLength ? v : v - rimLength + border.length))
  return Int32Array.from([...inside, ...rest])
}
