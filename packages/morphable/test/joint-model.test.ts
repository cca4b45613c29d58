import { ModelFormatError, ShapeError, ValueError } from '@facekit/core'
import { poseJoints, readJointModel } from '@facekit/morphable'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { npy } from './face-files.js'

const VERTICES = 6
/** Metres: a stick of vertices up a neck, a jaw, an eye. */
const template = Float32Array.from([
  0, 0, 0, 0, 0.1, 0, 0, 0.2, 0.05, 0.02, 0.1, 0.1, -0.03, 0.25, 0.08, 0, 0.3, 0,
])
const triangles = Int32Array.of(0, 1, 2, 2, 3, 4, 3, 4, 5)
const identity = Float32Array.from({ length: 2 * 3 * VERTICES }, (_, i) => 0.003 * Math.sin(1 + i))
const expression = Float32Array.from({ length: 3 * VERTICES }, (_, i) => 0.004 * Math.cos(i))
/** Root, head, jaw. */
const joints = Float32Array.of(0, 0, 0, 0, 0.15, 0, 0, 0.12, 0.03)
const jointIdentity = Float32Array.from({ length: 2 * 9 }, (_, i) => 0.001 * (i % 5))
// Rows are joints.
const weights = Float32Array.of(1, 0.5, 0, 0, 0, 0, /**/ 0, 0.5, 1, 0, 1, 0.75, /**/ 0, 0, 0, 1, 0, 0.25)
const correctives = Float32Array.from({ length: 27 * 3 * VERTICES }, (_, i) => 0.002 * Math.sin(3 * i))

const gnm = {
  'template_vertex_positions.npy': npy(template, [VERTICES, 3]),
  'vertex_identity_basis.npy': npy(identity, [2, VERTICES, 3]),
  'expression_basis.npy': npy(expression, [1, VERTICES, 3]),
  'template_joint_positions.npy': npy(joints, [3, 3]),
  'joint_identity_basis.npy': npy(jointIdentity, [2, 3, 3]),
  'joint_parent_indices.npy': npy(Int32Array.of(0, 0, 1), [3]),
  'skinning_weights.npy': npy(weights, [3, VERTICES]),
  'triangles.npy': npy(triangles, [3, 3]),
}
const withCorrectives = {
  ...gnm,
  'pose_correctives_regressor.npy': npy(correctives, [27, 3 * VERTICES]),
}
const turned = (axis: 0 | 1 | 2, angle: number, joint: number) => {
  const rotations = new Float32Array(9)
  rotations[3 * joint + axis] = angle
  return rotations
}
const at = (values: ArrayLike<number>, v: number) => [0, 1, 2].map((c) => values[3 * v + c])
const expectClose = (a: readonly number[], b: readonly number[]) =>
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 3))

describe('readJointModel and poseJoints', () => {
  it('value: at rest the model is linear, joints move with identity', async () => {
    const model = await readJointModel(zipSync(gnm))
    expect(model.layout).toEqual({ identity: 2, expression: 1 })
    const { vertices, joints: places } = poseJoints(model, { identity: [1.5, -1], expression: [0.5] })
    for (let i = 0; i < 3 * VERTICES; i++)
      expect(vertices[i]).toBeCloseTo(
        1000 * (template[i] + 1.5 * identity[i] - identity[3 * VERTICES + i] + 0.5 * expression[i]),
        3,
      )
    for (let i = 0; i < 9; i++)
      expect(places[i]).toBeCloseTo(1000 * (joints[i] + 1.5 * jointIdentity[i] - jointIdentity[9 + i]), 3)
  })

  it('value: a jaw turns what follows it, by its weight; a head takes the jaw along', async () => {
    const model = await readJointModel(zipSync(gnm))
    const [cos, sin] = [Math.cos(0.4), Math.sin(0.4)]
    const open = poseJoints(model, { rotations: turned(0, 0.4, 2) }).vertices
    // About x at (0, 120, 30): vertex 3 is 20 below and 70 before.
    const jaw = [20, 120 - 20 * cos - 70 * sin, 30 - 20 * sin + 70 * cos]
    expectClose(at(open, 3), jaw)
    expectClose(at(open, 4), [-30, 250, 80])
    // Vertex 5 by a quarter: 180 above and 30 behind.
    const whole = [0, 120 + 180 * cos + 30 * sin, 30 + 180 * sin - 30 * cos]
    expectClose(at(open, 5), [0, 0.75 * 300 + 0.25 * whole[1], 0.25 * whole[2]])
    // The head's quarter turn about y: x becomes -z, z becomes x, and the open jaw goes along.
    const rotations = turned(0, 0.4, 2)
    rotations[4] = Math.PI / 2
    const both = poseJoints(model, { rotations })
    expectClose(at(both.vertices, 3), [jaw[2], jaw[1], -jaw[0]])
    expectClose(at(both.joints, 2), [30, 120, 0])
  })

  it('value: correctives are linear in R - I, and turn with the part that they change', async () => {
    const model = await readJointModel(zipSync(withCorrectives))
    const plain = await readJointModel(zipSync(gnm))
    const rotations = turned(2, Math.PI / 2, 2)
    const difference = Float32Array.from(
      poseJoints(model, { rotations }).vertices,
      (value, i) => value - poseJoints(plain, { rotations }).vertices[i],
    )
    // R - I of the jaw: -1 -1 0, 1 -1 0, 0 0 0; rows 18 to 26.
    const expected = (v: number) =>
      [0, 1, 2].map((c) => {
        const row = (r: number) => 1000 * correctives[(18 + r) * 3 * VERTICES + 3 * v + c]
        return -row(0) - row(1) + row(3) - row(4)
      })
    // The skull does not turn; the chin does, by a quarter about z.
    expectClose(at(difference, 4), expected(4))
    const [x, y, z] = expected(3)
    expectClose(at(difference, 3), [-y, x, z])
  })

  it("value: FLAME's arrays: joints from vertices, correctives without the root's", async () => {
    const modes = 3
    const shapes = new Float64Array(3 * VERTICES * modes)
    for (let i = 0; i < 3 * VERTICES; i++)
      shapes.set([identity[i], identity[3 * VERTICES + i], expression[i]], i * modes)
    const regressor = new Float32Array(5 * VERTICES)
    for (let j = 0; j < 5; j++) regressor[j * VERTICES + j] = 1
    const follow = new Float32Array(5 * VERTICES)
    for (let v = 0; v < VERTICES; v++) follow[5 * v + (v === 3 ? 2 : 0)] = 1
    const posed = Float32Array.from({ length: 36 * 3 * VERTICES }, (_, i) => 0.001 * Math.sin(i))
    const flame = {
      'v_template.npy': npy(template, [VERTICES, 3]),
      'shapedirs.npy': npy(shapes, [VERTICES, 3, modes]),
      'posedirs.npy': npy(posed, [VERTICES, 3, 36]),
      'J_regressor.npy': npy(regressor, [5, VERTICES]),
      'weights.npy': npy(follow, [VERTICES, 5]),
      'f.npy': npy(triangles, [3, 3]),
    }
    const model = await readJointModel(zipSync(flame), { splitAt: 2 })
    expect(model.layout).toEqual({ identity: 2, expression: 1 })
    const rest = poseJoints(model, { expression: [2] })
    for (let i = 0; i < 3 * VERTICES; i++)
      expect(rest.vertices[i]).toBeCloseTo(1000 * (template[i] + 2 * expression[i]), 3)
    expectClose(at(rest.joints, 2), at(rest.vertices, 2))
    const rotations = new Float32Array(15)
    rotations[6] = Math.PI / 2
    const { vertices } = poseJoints(model, { rotations })
    // R - I of the jaw about x, entries 4 and 8 -1, 5 -1, 7 1 of those from 9 on.
    const added = (v: number) =>
      [0, 1, 2].map((c) => {
        const entry = (k: number) => 1000 * posed[(3 * v + c) * 36 + 9 + k]
        return -entry(4) - entry(5) + entry(7) - entry(8)
      })
    expectClose(
      at(vertices, 5),
      at(template, 5).map((value, c) => 1000 * value + added(5)[c]),
    )
    const joint = [0, 200, 50]
    const [x, y, z] = at(template, 3).map((value, c) => 1000 * value + added(3)[c] - joint[c])
    expectClose(at(vertices, 3), [joint[0] + x, joint[1] - z, joint[2] + y])
  })

  it('throws: arrays that are missing or do not fit, poses of another size', async () => {
    const { 'skinning_weights.npy': _, ...without } = gnm
    await expect(readJointModel(zipSync(without))).rejects.toThrow(
      /skinning_weights is missing, expected \[3, 6\]/,
    )
    const uneven = {
      ...gnm,
      'skinning_weights.npy': npy(
        weights.map((w) => w / 2),
        [3, VERTICES],
      ),
    }
    await expect(readJointModel(zipSync(uneven))).rejects.toThrow(/weights of vertex 0 sum to 0.5/)
    const cycle = { ...gnm, 'joint_parent_indices.npy': npy(Int32Array.of(0, 2, 1), [3]) }
    await expect(readJointModel(zipSync(cycle))).rejects.toThrow(/joint 1 is carried by joint 2/)
    await expect(readJointModel(zipSync({ 'a.npy': npy(weights, [18]) }))).rejects.toThrow(
      /expected GNM Head or FLAME/,
    )
    await expect(readJointModel(new Uint8Array(8))).rejects.toThrow(ModelFormatError)
    const model = await readJointModel(zipSync(gnm))
    expect(() => poseJoints(model, { rotations: [0, 0, 0] })).toThrow(ShapeError)
    expect(() => poseJoints(model, { identity: [1, 2, 3] })).toThrow(ShapeError)
    expect(() => poseJoints(model, { expression: [Number.NaN] })).toThrow(ValueError)
  })
})
