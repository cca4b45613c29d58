import { assertShape } from '@facekit/core'
import { defineKernel, float32, float32Like } from '@facekit/kernels'
import type { Pose } from '@facekit/parameters'
import { add, expandDims, matMul, mul, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import { transformBackward, transformForward } from './cpu/transform.js'
import { rotationMatrix } from './rotation-matrix.js'

const NAMES = ['vertices', 'rotation', 'translation', 'scale'] as const
const TYPES = {
  vertices: 'float32',
  rotation: 'float32',
  translation: 'float32',
  scale: 'float32',
} as const

const gradientKernel = defineKernel({
  name: 'FacekitTransformVerticesGradient',
  inputs: { ...TYPES, upstream: 'float32' },
  outputs: (shapes) => float32Like(shapes, NAMES),
  cpu: (inputs, gradients, { vertices: [batch, count] }) =>
    transformBackward({ ...inputs, batch, count }, inputs.upstream, gradients),
})

const kernel = defineKernel({
  name: 'FacekitTransformVertices',
  inputs: TYPES,
  outputs: ({ vertices: [batch, count] }) => ({ placed: float32([batch, count, 3]) }),
  saves: NAMES,
  cpu: (inputs, { placed }, { vertices: [batch, count] }) =>
    transformForward({ ...inputs, batch, count }, placed),
  operations({ vertices, rotation, translation, scale }) {
    const moved = add(vertices, expandDims(translation, 1))
    const turned = matMul(moved, rotationMatrix(rotation as Tensor2D), false, true)
    return mul(turned, expandDims(scale, 1))
  },
  recordsOperations: true,
  gradient: ({ upstream, saved }) => gradientKernel({ ...saved, upstream: upstream.placed }),
})

/** Puts vertices where a pose says: first moved, then turned, then scaled.
 *
 * v' = scale R (v + translation),   R = Rz(roll) Ry(yaw) Rx(pitch)         (MM '22 paper, Eq. 3)
 *
 * @param vertices - `[B, N, 3]` mm, model space
 * @param pose - rotation `[B, 3]` (pitch, yaw, roll, radians), translation `[B, 3]` mm, scale `[B, 1]`
 * @returns `[B, N, 3]` mm, world space
 * @differentiable vertices, rotation, translation, scale
 * @memory the caller owns the result
 * @throws {ShapeError} when the batch sizes differ or a part has the wrong width
 * @example
 * // (1, 0, 0) moved by (1, 0, 0), turned by 90 degrees of roll, twice as large: (0, 4, 0)
 */
export function transformVertices(vertices: Tensor3D, pose: Pose): Tensor3D {
  const known = assertShape('transformVertices: vertices', vertices, ['B', 'N', 3])
  assertShape('transformVertices: pose.rotation', pose.rotation, ['B', 3], known)
  assertShape('transformVertices: pose.translation', pose.translation, ['B', 3], known)
  assertShape('transformVertices: pose.scale', pose.scale, ['B', 1], known)
  return kernel({ vertices, ...pose })
}
