import { ModelFormatError, ValueError } from '@facekit/core'
import type { JointModel } from '../rig/pose-joints.js'
import { readSource, sourceName, type ModelSource } from './model-source.js'
import { isPickle } from '../numpy/parse-pickle.js'
import { isZip, readNpz } from '../numpy/read-npz.js'
import { readPickledArrays } from '../numpy/read-pickled-arrays.js'
import type { ShapedArray } from './shaped-array.js'

/** Options of `readJointModel`. */
export interface JointModelOptions {
  /** Millimetres of the file's unit. Default: the one of 1000, 10 and 1 that makes it a head. */
  millimetres?: number
  /** FLAME keeps identity and expression in one array: so many of its modes are identity. Default 300 where there are more, else all. */
  splitAt?: number
}

const GNM = [
  'template_vertex_positions',
  'vertex_identity_basis',
  'expression_basis',
  'template_joint_positions',
  'joint_identity_basis',
  'joint_parent_indices',
  'skinning_weights',
  'pose_correctives_regressor',
  'triangles',
] as const
const FLAME = ['v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights', 'f'] as const
/** FLAME's joints: root, neck, jaw and both eyes. */
const FLAME_PARENTS = Int32Array.of(-1, 0, 1, 1, 1)
/** Height of a head with or without shoulders, mm. */
const HEIGHTS = [120, 700] as const

/** Reads GNM Head or FLAME with its joints and pose correctives, from an `.npz` file or FLAME's own pickle, for `poseJoints`. (`readArrayModel` reads both as linear models, which is
 * what a fit takes.)
 *
 * GNM Head v3: `template_vertex_positions` `[N, 3]`, `vertex_identity_basis`, `expression_basis` `[K, N, 3]`, `template_joint_positions` `[J, 3]`,
 * `joint_identity_basis` `[Ki, J, 3]`, `joint_parent_indices` `[J]` (the root's is itself), `skinning_weights` `[J, N]`, `pose_correctives_regressor` `[9 J, 3 N]` if
 * there are any. FLAME: `v_template`, `shapedirs` `[N, 3, K]`, `posedirs` `[N, 3, 36]`, `J_regressor` `[5, N]` (dense), `weights` `[N, 5]`, `f`.
 *
 * Not run on the original files: see docs/models.md.
 *
 * @throws {ModelFormatError} that names the array that is missing or of another shape
 * @throws {ValueError} when an option is out of range
 * @example
 * const model = await readJointModel('gnm_head.npz')
 * const rotations = new Float32Array(3 * model.jointCount)
 * rotations[3 * jaw] = 0.2
 * const { vertices } = poseJoints(model, { rotations })
 */
export async function readJointModel(
  source: ModelSource,
  { millimetres, splitAt }: JointModelOptions = {},
): Promise<JointModel> {
  const who = sourceName('readJointModel', source)
  if (millimetres !== undefined && !(millimetres > 0))
    throw new ValueError(`${who}: millimetres is ${millimetres}, expected more than 0`)
  const bytes = await readSource(source, who)
  const known: ReadonlySet<string> = new Set([...GNM, ...FLAME])
  const isKnown = (name: string) => known.has(name)
  if (!isZip(bytes) && !isPickle(bytes))
    throw new ModelFormatError(`${who}: is no .npz file and no pickle, expected arrays of numpy.savez`)
  const { arrays, names } = isZip(bytes)
    ? await readNpz(bytes, who, isKnown)
    : readPickledArrays(bytes, who, isKnown)
  const isGnm = arrays.has('template_vertex_positions')
  if (!isGnm && !arrays.has('v_template'))
    throw new ModelFormatError(
      `${who}: no array "template_vertex_positions" or "v_template" found (the file has ${names.slice(0, 12).join(', ') || 'none'}), expected GNM Head or FLAME`,
    )
  const need = (name: string, shape: readonly (number | undefined)[]): ShapedArray => {
    const found = arrays.get(name)
    const fits =
      found?.shape.length === shape.length && shape.every((n, i) => n === undefined || n === found.shape[i])
    if (found && fits) return found
    const expected = shape.map((n) => n ?? 'K').join(', ')
    throw new ModelFormatError(
      `${who}: ${name} is ${found ? `[${found.shape.join(', ')}]` : 'missing'}, expected [${expected}]`,
    )
  }
  const template = need(isGnm ? 'template_vertex_positions' : 'v_template', [undefined, 3])
  const factor = millimetres ?? unitOf(who, template.data)
  return isGnm
    ? gnm(who, arrays, need, template, factor)
    : flame(who, arrays, need, template, factor, splitAt)
}

type Need = (name: string, shape: readonly (number | undefined)[]) => ShapedArray

function gnm(
  who: string,
  arrays: ReadonlyMap<string, ShapedArray>,
  need: Need,
  template: ShapedArray,
  factor: number,
): JointModel {
  const [count] = template.shape
  const joints = need('template_joint_positions', [undefined, 3])
  const [jointCount] = joints.shape
  const identity = need('vertex_identity_basis', [undefined, count, 3])
  const expression = need('expression_basis', [undefined, count, 3])
  const parents = need('joint_parent_indices', [jointCount])
  const weights = need('skinning_weights', [jointCount, count])
  return checked(who, {
    vertexCount: count,
    jointCount,
    parents: Int32Array.from({ length: jointCount }, (_, j) =>
      parents.data[j] === j ? -1 : parents.data[j],
    ),
    template: scaled(template.data, factor),
    modes: joined(scaled(identity.data, factor), scaled(expression.data, factor)),
    layout: { identity: identity.shape[0], expression: expression.shape[0] },
    joints: {
      kind: 'modes',
      template: scaled(joints.data, factor),
      identity: scaled(need('joint_identity_basis', [identity.shape[0], jointCount, 3]).data, factor),
    },
    weights: transposed(weights.data, jointCount, count),
    ...(arrays.has('pose_correctives_regressor') && {
      correctives: {
        first: 0,
        modes: scaled(need('pose_correctives_regressor', [9 * jointCount, 3 * count]).data, factor),
      },
    }),
    triangles: Int32Array.from(need('triangles', [undefined, 3]).data),
  })
}

function flame(
  who: string,
  arrays: ReadonlyMap<string, ShapedArray>,
  need: Need,
  template: ShapedArray,
  factor: number,
  splitAt: number | undefined,
): JointModel {
  const [count] = template.shape
  const shapes = need('shapedirs', [count, 3, undefined])
  const total = shapes.shape[2]
  const identity = splitAt ?? Math.min(total, 300)
  if (!(Number.isInteger(identity) && identity >= 0 && identity <= total))
    throw new ValueError(`${who}: splitAt is ${splitAt}, expected 0 to ${total}`)
  const jointCount = FLAME_PARENTS.length
  const entries = 9 * (jointCount - 1)
  return checked(who, {
    vertexCount: count,
    jointCount,
    parents: FLAME_PARENTS,
    template: scaled(template.data, factor),
    modes: scaled(transposed(shapes.data, 3 * count, total), factor),
    layout: { identity, expression: total - identity },
    joints: {
      kind: 'regressor',
      weights: Float32Array.from(need('J_regressor', [jointCount, count]).data),
    },
    weights: Float32Array.from(need('weights', [count, jointCount]).data),
    ...(arrays.has('posedirs') && {
      correctives: {
        first: 1,
        modes: scaled(transposed(need('posedirs', [count, 3, entries]).data, 3 * count, entries), factor),
      },
    }),
    triangles: Int32Array.from(need('f', [undefined, 3]).data),
  })
}

function checked(who: string, model: JointModel): JointModel {
  const { vertexCount, jointCount, parents, weights, triangles } = model
  for (const [j, parent] of parents.entries())
    if (j === 0 ? parent !== -1 : !(parent >= 0 && parent < j))
      throw new ModelFormatError(
        `${who}: joint ${j} is carried by joint ${parent}, expected ${j === 0 ? 'the root first' : `one before it`}`,
      )
  for (let v = 0; v < vertexCount; v++) {
    let sum = 0
    for (let j = 0; j < jointCount; j++) sum += weights[v * jointCount + j]
    if (!(Math.abs(sum - 1) < 1e-3))
      throw new ModelFormatError(`${who}: weights of vertex ${v} sum to ${sum}, expected 1`)
  }
  const odd = triangles.findIndex((vertex) => !(vertex >= 0 && vertex < vertexCount))
  if (odd >= 0)
    throw new ModelFormatError(
      `${who}: a triangle names vertex ${triangles[odd]}, expected 0 to ${vertexCount - 1}`,
    )
  for (const [name, values] of Object.entries({ template: model.template, modes: model.modes }))
    if (!values.every(Number.isFinite))
      throw new ModelFormatError(`${who}: ${name} holds numbers that are not finite`)
  return model
}

function unitOf(who: string, positions: ArrayLike<number>): number {
  let [lowest, highest] = [Infinity, -Infinity]
  for (let i = 1; i < positions.length; i += 3) {
    lowest = Math.min(lowest, positions[i])
    highest = Math.max(highest, positions[i])
  }
  const height = highest - lowest
  const found = [1000, 10, 1].find((unit) => unit * height >= HEIGHTS[0] && unit * height <= HEIGHTS[1])
  if (found) return found
  throw new ModelFormatError(`${who}: the head is ${height} high, in no unit that is known; pass millimetres`)
}

const scaled = (values: ArrayLike<number>, factor: number): Float32Array =>
  Float32Array.from(values, (value) => factor * value)

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const result = new Float32Array(a.length + b.length)
  result.set(a)
  result.set(b, a.length)
  return result
}

/** Rows and columns exchanged. */
function transposed(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const result = new Float32Array(rows * columns)
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) result[c * rows + r] = values[r * columns + c]
  return result
}
