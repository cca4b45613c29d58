/** Numbers of a pose: pitch, yaw, roll (radians), tx, ty, tz (mm), log(scale), log(focal length / that of the camera). */
export const POSE_SIZE = 8

/** A 3 x 3 matrix, row by row. */
export type Matrix3 = readonly number[]

/** The linear part of a pose `s Rz Ry Rx` and its derivatives. */
export interface PoseMatrices {
  /** scale * rotation. */
  matrix: Matrix3
  /** Derivatives of `matrix` with respect to pitch, yaw and roll. */
  derivatives: readonly [Matrix3, Matrix3, Matrix3]
}

const multiply = (a: Matrix3, b: Matrix3): Matrix3 =>
  Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3) * 3, i % 3]
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
  })

/** Matrices of a pose: `v' = scale * Rz(roll) Ry(yaw) Rx(pitch) * (v + t)` (MM '22 paper, Eq. 3). */
export function poseMatrices(pose: ArrayLike<number>): PoseMatrices {
  const [cp, sp] = [Math.cos(pose[0]), Math.sin(pose[0])]
  const [cy, sy] = [Math.cos(pose[1]), Math.sin(pose[1])]
  const [cr, sr] = [Math.cos(pose[2]), Math.sin(pose[2])]
  const rx = [1, 0, 0, 0, cp, -sp, 0, sp, cp]
  const ry = [cy, 0, sy, 0, 1, 0, -sy, 0, cy]
  const rz = [cr, -sr, 0, sr, cr, 0, 0, 0, 1]
  const scale = Math.exp(pose[6])
  const scaled = (m: Matrix3) => m.map((value) => value * scale)
  return {
    matrix: scaled(multiply(rz, multiply(ry, rx))),
    derivatives: [
      scaled(multiply(rz, multiply(ry, [0, 0, 0, 0, -sp, -cp, 0, cp, -sp]))),
      scaled(multiply(rz, multiply([-sy, 0, cy, 0, 0, 0, -cy, 0, -sy], rx))),
      scaled(multiply([-sr, -cr, 0, cr, -sr, 0, 0, 0, 0], multiply(ry, rx))),
    ],
  }
}
