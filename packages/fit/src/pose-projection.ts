import type { Camera } from '@facekit/render'

/** Pose and projection of single points in float64, with derivatives: what Gauss-Newton needs and tensors are slow at. */
export interface PoseProjection {
  /** Pixel position of `s R (v + t)`; writes x, y. */
  project(x: number, y: number, z: number, out: Float64Array): void
  /** Derivatives of the pixel with respect to the point before the pose: writes the 2 x 3 matrix row by row. */
  pointJacobian(x: number, y: number, z: number, out: Float64Array): void
  /** Derivatives with respect to pitch, yaw, roll, tx, ty, tz, log(scale): writes the 2 x 7 matrix row by row. */
  poseJacobian(x: number, y: number, z: number, out: Float64Array): void
}

type Matrix = readonly number[]

const multiply = (a: Matrix, b: Matrix): number[] =>
  Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3) * 3, i % 3]
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
  })

/** Prepares projection for one pose.
 *
 * @param pose - pitch, yaw, roll (radians), tx, ty, tz (mm), log(scale): `v' = scale * Rz Ry Rx * (v + t)` (Eq. 3)
 * @param size - width and height of the picture in pixels
 */
export function poseProjection(
  pose: ArrayLike<number>,
  camera: Camera,
  size: [number, number],
): PoseProjection {
  const [cp, sp] = [Math.cos(pose[0]), Math.sin(pose[0])]
  const [cy, sy] = [Math.cos(pose[1]), Math.sin(pose[1])]
  const [cr, sr] = [Math.cos(pose[2]), Math.sin(pose[2])]
  const rx = [1, 0, 0, 0, cp, -sp, 0, sp, cp]
  const ry = [cy, 0, sy, 0, 1, 0, -sy, 0, cy]
  const rz = [cr, -sr, 0, sr, cr, 0, 0, 0, 1]
  const scale = Math.exp(pose[6])
  const scaled = (m: Matrix) => m.map((value) => value * scale)
  const rotation = scaled(multiply(rz, multiply(ry, rx)))
  const derivatives = [
    scaled(multiply(rz, multiply(ry, [0, 0, 0, 0, -sp, -cp, 0, cp, -sp]))),
    scaled(multiply(rz, multiply([-sy, 0, cy, 0, 0, 0, -cy, 0, -sy], rx))),
    scaled(multiply([-sr, -cr, 0, cr, -sr, 0, 0, 0, 0], multiply(ry, rx))),
  ]
  const [width, height] = size
  const focal = height / 2 / Math.tan(camera.fieldOfView / 2)
  const perspective = camera.projection === 'perspective'
  const apply = (m: Matrix, x: number, y: number, z: number, row: number) =>
    m[3 * row] * x + m[3 * row + 1] * y + m[3 * row + 2] * z
  const world = (x: number, y: number, z: number) => {
    const [px, py, pz] = [x + pose[3], y + pose[4], z + pose[5]]
    return [0, 1, 2].map((row) => apply(rotation, px, py, pz, row))
  }
  /** Derivative of the pixel for a movement d of the posed point. */
  const pixelDerivative = (posed: number[], d: number[], out: Float64Array, at: number, stride: number) => {
    const w = perspective ? camera.distance - posed[2] : camera.distance
    const dw = perspective ? -d[2] : 0
    out[at] = (focal * (d[0] * w - posed[0] * dw)) / (w * w)
    out[at + stride] = (-focal * (d[1] * w - posed[1] * dw)) / (w * w)
  }
  return {
    project(x, y, z, out) {
      const posed = world(x, y, z)
      const w = perspective ? camera.distance - posed[2] : camera.distance
      out[0] = width / 2 + (focal * posed[0]) / w
      out[1] = height / 2 - (focal * posed[1]) / w
    },
    pointJacobian(x, y, z, out) {
      const posed = world(x, y, z)
      for (let axis = 0; axis < 3; axis++) {
        pixelDerivative(posed, [rotation[axis], rotation[3 + axis], rotation[6 + axis]], out, axis, 3)
      }
    },
    poseJacobian(x, y, z, out) {
      const posed = world(x, y, z)
      const [px, py, pz] = [x + pose[3], y + pose[4], z + pose[5]]
      for (let angle = 0; angle < 3; angle++) {
        const d = [0, 1, 2].map((row) => apply(derivatives[angle], px, py, pz, row))
        pixelDerivative(posed, d, out, angle, 7)
      }
      for (let axis = 0; axis < 3; axis++) {
        pixelDerivative(posed, [rotation[axis], rotation[3 + axis], rotation[6 + axis]], out, 3 + axis, 7)
      }
      pixelDerivative(posed, posed, out, 6, 7)
    },
  }
}
