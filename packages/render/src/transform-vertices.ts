import { assertShape } from '@facekit/core'
import { type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import type { Pose } from '@facekit/parameters'
import {
  add,
  customGrad,
  expandDims,
  matMul,
  mul,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core'
import { rotationMatrix } from './rotation-matrix.js'
import { transformBackward, transformForward } from './transform-arrays.js'

const INPUTS = ['vertices', 'rotation', 'translation', 'scale']

const gradientKernel: HostKernel = {
  name: 'FacekitTransformVerticesGradient',
  inputs: [...INPUTS, 'gradient'],
  outputs: (shapes) => shapes.slice(0, 4).map((shape) => ({ shape, dtype: 'float32' })),
  compute(inputs, outputs, [[batch, count]]) {
    const [vertices, rotation, translation, scale, gradient] = inputs
    const [toVertices, toRotation, toTranslation, toScale] = outputs
    transformBackward({ vertices, rotation, translation, scale, batch, count }, gradient, {
      vertices: toVertices,
      rotation: toRotation,
      translation: toTranslation,
      scale: toScale,
    })
  },
}

const kernel: HostKernel = {
  name: 'FacekitTransformVertices',
  inputs: INPUTS,
  outputs: ([shape]) => [{ shape, dtype: 'float32' }],
  compute([vertices, rotation, translation, scale], [result], [[batch, count]]) {
    transformForward({ vertices, rotation, translation, scale, batch, count }, result)
  },
}

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
  if (!hasHostMemory()) return transformVerticesOps(vertices, pose)
  const transform = customGrad((...args) => {
    const [vertices, rotation, translation, scale] = args as Tensor[]
    const save = args[4] as unknown as (tensors: Tensor[]) => void
    const inputs = { vertices, rotation, translation, scale }
    save([vertices, rotation, translation, scale])
    return {
      value: runHostKernel(kernel, inputs, {})[0],
      gradFunc: (gradient: Tensor, [vertices, rotation, translation, scale]: Tensor[]) =>
        runHostKernel(gradientKernel, { vertices, rotation, translation, scale, gradient }, {}),
    }
  })
  return transform(vertices, pose.rotation, pose.translation, pose.scale) as Tensor3D
}

/** `transformVertices` as stock operations. */
function transformVerticesOps(vertices: Tensor3D, { rotation, translation, scale }: Pose): Tensor3D {
  return tidy(() => {
    const moved = add(vertices, expandDims(translation, 1))
    const turned = matMul(moved, rotationMatrix(rotation), false, true)
    return mul(turned, expandDims(scale as Tensor2D, 1))
  })
}
