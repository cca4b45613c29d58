import { assertShape } from '@facekit/core'
import {
  concat,
  cos,
  mul,
  neg,
  reshape,
  sin,
  slice,
  sub,
  add,
  tidy,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core'

/** Rotation matrices from Euler angles: R = Rz(roll) Ry(yaw) Rx(pitch).
 *
 * @param rotation - `[B, 3]` pitch, yaw, roll in radians. Positive pitch nods down, positive yaw turns the face to the right
 * of the picture, positive roll tilts it counter-clockwise.
 * @returns `[B, 3, 3]`, for column vectors: v' = R v
 * @differentiable rotation
 * @memory the caller owns the result
 * @throws {ShapeError} when `rotation` is not `[B, 3]`
 * @example
 * rotationMatrix(tf.tensor2d([[0, 0, Math.PI / 2]])) // takes +x to +y: [[[0, -1, 0], [1, 0, 0], [0, 0, 1]]]
 */
export function rotationMatrix(rotation: Tensor2D): Tensor3D {
  const { B } = assertShape('rotationMatrix: rotation', rotation, ['B', 3])
  return tidy(() => {
    const [sines, cosines] = [sin(rotation), cos(rotation)]
    const column = (tensor: Tensor2D, index: number) => slice(tensor, [0, index], [B, 1])
    const [sx, sy, sz] = [0, 1, 2].map((index) => column(sines, index))
    const [cx, cy, cz] = [0, 1, 2].map((index) => column(cosines, index))
    const sysx = mul(sy, sx)
    const sycx = mul(sy, cx)
    const entries = [
      mul(cz, cy),
      sub(mul(cz, sysx), mul(sz, cx)),
      add(mul(cz, sycx), mul(sz, sx)),
      mul(sz, cy),
      add(mul(sz, sysx), mul(cz, cx)),
      sub(mul(sz, sycx), mul(cz, sx)),
      neg(sy),
      mul(cy, sx),
      mul(cy, cx),
    ]
    return reshape(concat(entries, 1), [B, 3, 3])
  })
}
