import { ShapeError, ValueError } from '@facekit/core'
import type { Buffer, Document, Node } from '@gltf-transform/core'

/** One joint; its axes are those of the mesh while it is at rest. */
export interface SkinJoint {
  name: string
  /** Place among the joints of the one that carries it, which comes before it; absent for the first. */
  parent?: number
  /** mm, space of the mesh. */
  position: readonly [number, number, number]
  /** Of a jaw: turn about +x at which the mouth is open, radians; `extras.openAngle` of its node. */
  openAngle?: number
}

/** Joints, and how far each vertex follows them. */
export interface FaceSkin {
  joints: readonly SkinJoint[]
  /** `[N * 4]` places among the joints; those without weight are 0. */
  indices: Uint8Array
  /** `[N * 4]` 0 to 1, which sum to 1. */
  weights: Float32Array
}

/** Weights are stored in these steps: at most 0.1 mm of a jaw's way. */
const STEPS = 255

/** @throws {ShapeError} when there are not as many numbers as vertices ask for, or a joint's parent doesn't come before it
 * @throws {ValueError} when weights do not sum to 1, a vertex follows a joint that isn't there, or a number is not finite */
export function checkSkin(who: string, { joints, indices, weights }: FaceSkin, count: number): void {
  for (const [name, { length }] of Object.entries({ indices, weights }))
    if (length !== 4 * count)
      throw new ShapeError(`${who}: skin.${name} is [${length}], expected [${4 * count}]`)
  for (const [i, { name, parent, position }] of joints.entries()) {
    if (i === 0 ? parent !== undefined : !(parent !== undefined && parent >= 0 && parent < i))
      throw new ShapeError(
        `${who}: skin.joints[${i}] ("${name}") has parent ${parent}, expected ${i === 0 ? 'none' : `0 to ${i - 1}`}`,
      )
    if (!position.every(Number.isFinite))
      throw new ValueError(`${who}: joint ${name} is at ${position.join(', ')}, expected finite numbers`)
  }
  for (let v = 0; v < count; v++) {
    const at = indices.subarray(4 * v, 4 * v + 4).findIndex((joint) => joint >= joints.length)
    if (at >= 0)
      throw new ValueError(
        `${who}: vertex ${v} follows joint ${indices[4 * v + at]}, expected 0 to ${joints.length - 1}`,
      )
    const own = weights.subarray(4 * v, 4 * v + 4)
    const sum = own.reduce((all, weight) => all + weight, 0)
    if (!(Math.abs(sum - 1) < 1e-4) || !own.every((weight) => weight >= 0))
      throw new ValueError(`${who}: weights of vertex ${v} are ${own.join(', ')}, expected a sum of 1`)
  }
}

/** Binds a mesh to joints: attributes for each of its primitives, a tree of nodes, the matrices between.
 *
 * @returns the node that carries the joints: moving it moves the mesh
 */
export function addSkin(
  document: Document,
  buffer: Buffer,
  node: Node,
  { joints, indices, weights }: FaceSkin,
): Node {
  const stored = steps(weights)
  const attributes = {
    JOINTS_0: document
      .createAccessor()
      .setType('VEC4')
      // A joint whose weight rounds to nothing isn't named.
      .setArray(indices.map((joint, i) => (stored[i] > 0 ? joint : 0)) as Uint8Array<ArrayBuffer>)
      .setBuffer(buffer),
    WEIGHTS_0: document
      .createAccessor()
      .setType('VEC4')
      .setArray(stored)
      .setNormalized(true)
      .setBuffer(buffer),
  }
  for (const primitive of node.getMesh()!.listPrimitives())
    for (const [name, accessor] of Object.entries(attributes)) primitive.setAttribute(name, accessor)
  const inverse = new Float32Array(16 * joints.length)
  const rig = document.createNode(`${node.getName()}-rig`)
  const nodes: Node[] = []
  const skin = document.createSkin(node.getName()).setSkeleton(rig)
  for (const [i, { name, parent, position, openAngle }] of joints.entries()) {
    const from = parent === undefined ? [0, 0, 0] : joints[parent].position
    const joint = document
      .createNode(name)
      .setTranslation([0, 1, 2].map((c) => (position[c] - from[c]) / 1000) as [number, number, number])
    if (openAngle !== undefined) joint.setExtras({ openAngle })
    // Columns: where the joint has its origin, the mesh has its position.
    inverse.set([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, ...position.map((value) => -value / 1000), 1], 16 * i)
    nodes.push(joint)
    skin.addJoint(joint)
    ;(parent === undefined ? rig : nodes[parent]).addChild(joint)
  }
  skin.setInverseBindMatrices(document.createAccessor().setType('MAT4').setArray(inverse).setBuffer(buffer))
  node.setSkin(skin)
  return rig
}

/** Weights in 1/255, whose sums are exactly 255: the largest takes what rounding leaves. */
function steps(weights: Float32Array): Uint8Array<ArrayBuffer> {
  const result = Uint8Array.from(weights, (weight) => Math.round(STEPS * weight))
  for (let v = 0; v < result.length; v += 4) {
    let [sum, largest] = [0, v]
    for (let k = v; k < v + 4; k++) {
      sum += result[k]
      if (result[k] > result[largest]) largest = k
    }
    result[largest] += STEPS - sum
  }
  return result
}
