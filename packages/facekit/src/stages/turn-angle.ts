import { mat4 } from 'gl-matrix'

/** Angle of the turn from one rotation to another, radians; both pitch, yaw, roll of Eq. 3. */
export function turnAngle(from: Iterable<number>, to: Iterable<number>): number {
  const [a, b] = [rotationMatrix(from), rotationMatrix(to)]
  let trace = 0
  // The last entry of both is 1 and no part of the rotation.
  for (let i = 0; i < 15; i++) trace += a[i] * b[i]
  return Math.acos(Math.min(Math.max((trace - 1) / 2, -1), 1))
}

/** `Rz(roll) Ry(yaw) Rx(pitch)`. */
export function rotationMatrix([pitch, yaw, roll]: Iterable<number>): mat4 {
  const matrix = mat4.create()
  mat4.rotateZ(matrix, matrix, roll)
  mat4.rotateY(matrix, matrix, yaw)
  return mat4.rotateX(matrix, matrix, pitch)
}
