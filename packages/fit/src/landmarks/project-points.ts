import type { Camera } from '@facekit/render'
import { evaluatePoints, type PointBasis } from './point-basis.js'
import { POSE_SIZE, poseMatrices } from './pose-matrices.js'

/** How points of the head are seen in a crop. */
export interface PointView {
  camera: Camera
  width: number
  height: number
  /** Numbers of a point: 2 for x and y, 3 with the depth. */
  numbers: 2 | 3
}

/** Where the points of a basis are seen: for each point x, y and, if wanted, its depth towards the camera, pixels.
 *
 * The depth is (z - mean z of the points) * focal length / (distance of the mean): as large as x and y for a point near the mean.
 *
 * @param state - pose as for `poseMatrices`, then the coefficients of the modes
 * @param chosen - `[N]` the row that each point is
 */
export function projectPoints(
  basis: PointBasis,
  state: Float64Array,
  chosen: Int32Array,
  view: PointView,
): Float64Array {
  return project(basis, state, chosen, view)
}

/** The same, and derivatives `[N * numbers, POSE_SIZE + K]` with respect to the state, written into `jacobian`. */
export function projectPointsWithJacobian(
  basis: PointBasis,
  state: Float64Array,
  chosen: Int32Array,
  view: PointView,
  jacobian: Float64Array,
): Float64Array {
  return project(basis, state, chosen, view, jacobian)
}

function project(
  basis: PointBasis,
  state: Float64Array,
  chosen: Int32Array,
  { camera, width, height, numbers }: PointView,
  jacobian?: Float64Array,
): Float64Array {
  const { modes } = basis
  const count = chosen.length
  const positions = evaluatePoints(basis, state.subarray(POSE_SIZE))
  const { matrix, derivatives } = poseMatrices(state)
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = matrix
  const perspective = camera.projection === 'perspective'
  // A longer lens stands farther away: the head at the origin keeps its size.
  const lens = Math.exp(state[7])
  const focal = (height / 2 / Math.tan(camera.fieldOfView / 2)) * lens
  const distance = camera.distance * lens
  const world = new Float64Array(3 * count)
  let meanZ = 0
  for (let i = 0; i < count; i++) {
    const at = 3 * chosen[i]
    const x = positions[at] + state[3]
    const y = positions[at + 1] + state[4]
    const z = positions[at + 2] + state[5]
    for (let row = 0; row < 3; row++)
      world[3 * i + row] = matrix[3 * row] * x + matrix[3 * row + 1] * y + matrix[3 * row + 2] * z
    meanZ += world[3 * i + 2] / count
  }
  const meanDistance = perspective ? distance - meanZ : distance
  const gain = focal / meanDistance
  const out = new Float64Array(numbers * count)
  for (let i = 0; i < count; i++) {
    const x = world[3 * i]
    const y = world[3 * i + 1]
    const z = world[3 * i + 2]
    const w = perspective ? distance - z : distance
    out[numbers * i] = width / 2 + (focal * x) / w
    out[numbers * i + 1] = height / 2 - (focal * y) / w
    if (numbers === 3) out[3 * i + 2] = (z - meanZ) * gain
  }
  if (!jacobian) return out

  const n = POSE_SIZE + modes
  // Derivative of the mean depth; its part through the modes is summed while the points are walked.
  const meanRow = numbers === 3 ? new Float64Array(n) : undefined
  const moved = new Float64Array(21)
  for (let i = 0; i < count; i++) {
    const at = 3 * chosen[i]
    const px = positions[at] + state[3]
    const py = positions[at + 1] + state[4]
    const pz = positions[at + 2] + state[5]
    const x = world[3 * i]
    const y = world[3 * i + 1]
    const z = world[3 * i + 2]
    const w = perspective ? distance - z : distance
    const u = focal / w
    // Derivatives of the pixel with respect to the posed point.
    const ux = perspective ? (u * x) / w : 0
    const uy = perspective ? (u * y) / w : 0
    const rowX = numbers * i * n
    const rowY = rowX + n
    const rowZ = rowY + n
    // What each number of the pose but the lens moves the posed point by.
    for (let row = 0; row < 3; row++) {
      for (let angle = 0; angle < 3; angle++) {
        const d = derivatives[angle]
        moved[3 * angle + row] = d[3 * row] * px + d[3 * row + 1] * py + d[3 * row + 2] * pz
        moved[9 + 3 * angle + row] = matrix[3 * row + angle]
      }
      moved[18 + row] = world[3 * i + row]
    }
    for (let p = 0; p < 7; p++) {
      const dx = moved[3 * p]
      const dy = moved[3 * p + 1]
      const dz = moved[3 * p + 2]
      jacobian[rowX + p] = u * dx + ux * dz
      jacobian[rowY + p] = -(u * dy + uy * dz)
      if (meanRow) {
        jacobian[rowZ + p] = gain * dz
        meanRow[p] += dz / count
      }
    }
    jacobian[rowX + 7] = perspective ? (-u * x * z) / w : 0
    jacobian[rowY + 7] = perspective ? (u * y * z) / w : 0
    if (meanRow) jacobian[rowZ + 7] = perspective ? (-(z - meanZ) * gain * meanZ) / meanDistance : 0
    // Rows of d pixel / d point.
    const [ax, ay, az] = [u * m0 + ux * m6, u * m1 + ux * m7, u * m2 + ux * m8]
    const [bx, by, bz] = [-(u * m3 + uy * m6), -(u * m4 + uy * m7), -(u * m5 + uy * m8)]
    const from = at * modes
    const b = basis.basis
    const [jx, jy, jz] = [rowX + POSE_SIZE, rowY + POSE_SIZE, rowZ + POSE_SIZE]
    for (let k = 0; k < modes; k++) {
      const vx = b[from + k]
      const vy = b[from + modes + k]
      const vz = b[from + 2 * modes + k]
      jacobian[jx + k] = ax * vx + ay * vy + az * vz
      jacobian[jy + k] = bx * vx + by * vy + bz * vz
      if (meanRow) {
        const dz = m6 * vx + m7 * vy + m8 * vz
        jacobian[jz + k] = gain * dz
        meanRow[POSE_SIZE + k] += dz / count
      }
    }
  }
  if (meanRow) {
    for (let i = 0; i < count; i++) {
      const factor = perspective ? out[3 * i + 2] / meanDistance - gain : -gain
      const row = (3 * i + 2) * n
      for (let p = 0; p < n; p++) jacobian[row + p] += factor * meanRow[p]
    }
  }
  return out
}
