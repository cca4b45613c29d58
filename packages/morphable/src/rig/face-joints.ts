import { ShapeError } from '@facekit/core'
import { solveSymmetric } from '@facekit/mesh'
import { arkitNames } from '@facekit/parameters'
import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { arkitTargets } from './arkit-targets.js'
import { eyeballSides } from './eyeball-sides.js'
import { jawHinge } from './jaw-hinge.js'

/** A joint of a face, whose axes are those of model space while it is at rest. */
export interface FaceJoint {
  name: 'head' | 'jaw' | 'leftEye' | 'rightEye'
  /** Place among the joints of the one that carries it; absent for the head. */
  parent?: number
  /** mm, model space. */
  position: [number, number, number]
  /** Of the jaw: turn about +x that comes nearest to `jawOpen` at full activation, radians. */
  openAngle?: number
}

/** The joints of a face, and how far each vertex follows them. */
export interface FaceJoints {
  /** The head first. */
  joints: readonly FaceJoint[]
  /** `[N * 4]` places among the joints; those without weight are 0. */
  indices: Uint8Array
  /** `[N * 4]` sums of 1. */
  weights: Float32Array
}

/** The joints of a face at rest: the head, the jaw about the axis of its condyles, and each eyeball about its centre.
 *
 * Left is the subject's. An eyeball's vertices follow its joint alone, its centre is that of the sphere nearest to them; of the skin each vertex
 * follows the jaw by as much as `jawOpen` turns it. The joints and the blend shapes of gaze and jaw do the same thing and add up: drive one of them. A
 * model without eyeballs or without `jawOpen` has the other joints.
 *
 * @param neutral - `[N * 3]` mm, the face without an expression and a pose
 * @throws {ShapeError} when the model has another number of vertices
 * @throws {ValueError} when the model has no ARKit expressions, see `arkitTargets`
 */
export function faceJoints(model: MorphableModel, neutral: Float32Array): FaceJoints {
  const { vertexCount, landmarks } = model
  if (neutral.length !== 3 * vertexCount)
    throw new ShapeError(`faceJoints: neutral is [${neutral.length}], expected [${3 * vertexCount}]`)
  const mean = denseData(model.shape.mean)
  // The hinge of the mean face goes along with the places beside it.
  const beside = [1, 15].map((l) => 3 * landmarks[l])
  const middle = (of: ArrayLike<number>): [number, number, number] => [
    (of[beside[0]] + of[beside[1]]) / 2,
    (of[beside[0] + 1] + of[beside[1] + 1]) / 2,
    (of[beside[0] + 2] + of[beside[1] + 2]) / 2,
  ]
  const [here, there] = [middle(neutral), middle(mean)]
  const joints: FaceJoint[] = [{ name: 'head', position: here }]
  const indices = new Uint8Array(4 * vertexCount)
  const weights = new Float32Array(4 * vertexCount)
  for (let v = 0; v < vertexCount; v++) weights[4 * v] = 1
  const hinge = jawHinge(model, arkitTargets(model)[arkitNames.indexOf('jawOpen')].offsets)
  if (hinge) {
    const position = hinge.center.map((value, c) => value + here[c] - there[c]) as FaceJoint['position']
    joints.push({ name: 'jaw', parent: 0, position, openAngle: hinge.openAngle })
    for (let v = 0; v < vertexCount; v++) {
      const share = hinge.weights[v]
      if (share === 0) continue
      weights[4 * v] = 1 - share
      indices[4 * v + 1] = joints.length - 1
      weights[4 * v + 1] = share
    }
  }
  const sides = eyeballSides(model)
  for (const [side, name] of [
    [2, 'leftEye'],
    [1, 'rightEye'],
  ] as const) {
    const vertices = [...sides.keys()].filter((v) => sides[v] === side)
    if (vertices.length === 0) continue
    joints.push({ name, parent: 0, position: sphereCenter(neutral, vertices) })
    for (const v of vertices) {
      indices.set([joints.length - 1, 0, 0, 0], 4 * v)
      weights.set([1, 0, 0, 0], 4 * v)
    }
  }
  return { joints, indices, weights }
}

/** The centre c of the sphere nearest to points p, by linear least squares: |p|^2 = 2 c . p + (r^2 - |c|^2). */
function sphereCenter(positions: ArrayLike<number>, vertices: readonly number[]): [number, number, number] {
  const origin = [0, 1, 2].map(
    (c) => vertices.reduce((sum, v) => sum + positions[3 * v + c], 0) / vertices.length,
  )
  const matrix = new Float64Array(16)
  const right = new Float64Array(4)
  for (const v of vertices) {
    const p = origin.map((value, c) => positions[3 * v + c] - value)
    const row = [2 * p[0], 2 * p[1], 2 * p[2], 1]
    const square = p[0] ** 2 + p[1] ** 2 + p[2] ** 2
    for (let i = 0; i < 4; i++) {
      right[i] += row[i] * square
      for (let j = 0; j < 4; j++) matrix[4 * i + j] += row[i] * row[j]
    }
  }
  // Points of a plane lie on no sphere.
  if (!solveSymmetric(matrix, [right])) return [origin[0], origin[1], origin[2]]
  return [origin[0] + right[0], origin[1] + right[1], origin[2] + right[2]]
}
