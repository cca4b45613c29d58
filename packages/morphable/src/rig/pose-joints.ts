import { ShapeError, ValueError } from '@facekit/core'

/** A head whose parts turn about joints, such as GNM Head or FLAME, as its file has it: linear in its coefficients before it is posed. */
export interface JointModel {
  vertexCount: number
  /** J. */
  jointCount: number
  /** `[J]` place of the joint that carries each, which comes before it; -1 for the first. */
  parents: Int32Array
  /** `[N * 3]` mm, axes of the file. */
  template: Float32Array
  /** `[K * N * 3]` mm, one standard deviation each: identity first, then expression. */
  modes: Float32Array
  /** Numbers of modes. */
  layout: { identity: number; expression: number }
  /** Where the joints are: places of their own that identity moves, or means of vertices. */
  joints:
    | {
        kind: 'modes'
        /** `[J * 3]` mm */ template: Float32Array
        /** `[Ki * J * 3]` mm */ identity: Float32Array
      }
    | { kind: 'regressor'; /** `[J * N]` */ weights: Float32Array }
  /** `[N * J]` how far each vertex follows each joint; sums of 1. */
  weights: Float32Array
  /** What turning does to the shape before it turns. */
  correctives?: {
    /** The first joint that counts: 0, or 1 where the root has none. */
    first: number
    /** `[9 * (J - first) * N * 3]` mm for each entry of R - I, joint by joint, rows of R in order. */
    modes: Float32Array
  }
  triangles: Int32Array
}

/** A pose of a `JointModel`. */
export interface JointPose {
  /** Up to `[Ki]`, standard deviations. Default 0. */
  identity?: ArrayLike<number>
  /** Up to `[Ke]`. Default 0. */
  expression?: ArrayLike<number>
  /** `[J * 3]` axis times angle of each joint, radians, in the axes of its parent. Default 0. */
  rotations?: ArrayLike<number>
}

/** Evaluates a model with joints.
 *
 * shape = template + sum c_k mode_k; posed = shape + sum (R - I)_r corrective_r; vertices = sum_j w_j (A_j (posed - joint_j) + place_j), where A_j is the product of
 * the rotations from the root to joint j (linear blend skinning; Loper et al., "SMPL", SIGGRAPH Asia 2015, Li et al., "FLAME", 2017).
 *
 * @returns `vertices` `[N * 3]` and `joints` `[J * 3]`, mm, axes of the file
 * @differentiable no
 * @throws {ShapeError} when there are more coefficients than modes, or not three numbers for each joint
 * @throws {ValueError} when a number is not finite
 */
export function poseJoints(
  model: JointModel,
  { identity = [], expression = [], rotations }: JointPose,
): { vertices: Float32Array; joints: Float32Array } {
  const { vertexCount, jointCount, layout, parents } = model
  for (const [name, list, most] of [
    ['identity', identity, layout.identity],
    ['expression', expression, layout.expression],
  ] as const)
    if (list.length > most)
      throw new ShapeError(`poseJoints: ${name} is [${list.length}], expected at most [${most}]`)
  const turns = rotations ?? new Float64Array(3 * jointCount)
  if (turns.length !== 3 * jointCount)
    throw new ShapeError(`poseJoints: rotations is [${turns.length}], expected [${3 * jointCount}]`)
  for (const [name, list] of Object.entries({ identity, expression, rotations: turns }))
    for (let i = 0; i < list.length; i++)
      if (!Number.isFinite(list[i]))
        throw new ValueError(`poseJoints: ${name} holds ${list[i]}, expected finite numbers`)
  const size = 3 * vertexCount
  const shape = Float64Array.from(model.template)
  addModes(shape, model.modes, identity, 0, size)
  addModes(shape, model.modes, expression, layout.identity, size)
  const places = jointPlaces(model, identity, shape)
  const local = Array.from({ length: jointCount }, (_, j) =>
    rotationOf(turns[3 * j], turns[3 * j + 1], turns[3 * j + 2]),
  )
  if (model.correctives) {
    const { first, modes } = model.correctives
    const entries = local.slice(first).flatMap((r) => r.map((value, i) => value - (i % 4 === 0 ? 1 : 0)))
    addModes(shape, modes, entries, 0, size)
  }
  const turned: number[][] = []
  const moved = new Float64Array(3 * jointCount)
  for (let j = 0; j < jointCount; j++) {
    const parent = parents[j]
    turned.push(parent < 0 ? local[j] : product(turned[parent], local[j]))
    const from = parent < 0 ? [0, 0, 0] : [0, 1, 2].map((c) => places[3 * j + c] - places[3 * parent + c])
    const [x, y, z] = parent < 0 ? places.subarray(3 * j, 3 * j + 3) : apply(turned[parent], from)
    const origin = parent < 0 ? [0, 0, 0] : moved.subarray(3 * parent, 3 * parent + 3)
    moved.set([origin[0] + x, origin[1] + y, origin[2] + z], 3 * j)
  }
  const vertices = new Float32Array(size)
  for (let v = 0; v < vertexCount; v++)
    for (let j = 0; j < jointCount; j++) {
      const weight = model.weights[v * jointCount + j]
      if (weight === 0) continue
      const at = apply(
        turned[j],
        [0, 1, 2].map((c) => shape[3 * v + c] - places[3 * j + c]),
      )
      for (let c = 0; c < 3; c++) vertices[3 * v + c] += weight * (at[c] + moved[3 * j + c])
    }
  return { vertices, joints: Float32Array.from(moved) }
}

function jointPlaces({ joints, jointCount }: JointModel, identity: ArrayLike<number>, shape: Float64Array) {
  const places = new Float64Array(3 * jointCount)
  if (joints.kind === 'modes') {
    places.set(joints.template)
    addModes(places, joints.identity, identity, 0, 3 * jointCount)
    return places
  }
  const count = shape.length / 3
  for (let j = 0; j < jointCount; j++)
    for (let v = 0; v < count; v++) {
      const weight = joints.weights[j * count + v]
      if (weight !== 0) for (let c = 0; c < 3; c++) places[3 * j + c] += weight * shape[3 * v + c]
    }
  return places
}

function addModes(
  to: Float64Array,
  modes: Float32Array,
  coefficients: ArrayLike<number>,
  first: number,
  size: number,
): void {
  for (let k = 0; k < coefficients.length; k++) {
    const factor = coefficients[k]
    if (factor === 0) continue
    for (let i = 0, at = (first + k) * size; i < size; i++, at++) to[i] += factor * modes[at]
  }
}

/** Row-major matrix of an axis times an angle (Rodrigues). */
function rotationOf(x: number, y: number, z: number): number[] {
  const angle = Math.hypot(x, y, z)
  if (angle === 0) return [1, 0, 0, 0, 1, 0, 0, 0, 1]
  const [a, b, c] = [x / angle, y / angle, z / angle]
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const t = 1 - cos
  return [
    cos + t * a * a,
    t * a * b - sin * c,
    t * a * c + sin * b,
    t * a * b + sin * c,
    cos + t * b * b,
    t * b * c - sin * a,
    t * a * c - sin * b,
    t * b * c + sin * a,
    cos + t * c * c,
  ]
}

const product = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [3 * Math.floor(i / 3), i % 3]
    return a[row] * b[column] + a[row + 1] * b[3 + column] + a[row + 2] * b[6 + column]
  })

const apply = (m: readonly number[], p: ArrayLike<number>): number[] =>
  [0, 3, 6].map((row) => m[row] * p[0] + m[row + 1] * p[1] + m[row + 2] * p[2])
