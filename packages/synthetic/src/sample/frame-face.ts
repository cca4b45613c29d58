import { vector3, type Vector3 } from '../vector.js'
import type { Camera } from '@facekit/render'

/** Pose of one head, as in `Pose`. */
export interface SampledPose {
  /** Pitch, yaw, roll. */
  rotation: [number, number, number]
  translation: [number, number, number]
  scale: number
}

/** Pose of a head before a camera of its own. */
export interface FramedPose extends SampledPose {
  /** What z is multiplied by before the renderer's camera sees it: from k times as near, with a k times shorter focal length, a point is
   * seen at (f / k) x / (d / k - z) = f x / (d - k z). */
  depthScale: number
}

/** Where the face is wanted: relative to facekit's aligned crop. */
export interface Framing {
  scale: number
  /** Of the camera from the head, mm at the head's own size; undefined: where the renderer's camera is. */
  distance: number | undefined
  /** Radians, counter-clockwise. */
  roll: number
  /** Pixels. */
  shift: readonly [number, number]
}

/** Eyes, tip of the nose, corners of the mouth in the aligned crop of 224 pixels, the subject's right first. */
const TEMPLATE: readonly (readonly [number, number])[] = [
  [78.5, 85],
  [145.5, 85],
  [112, 124],
  [86, 158],
  [138, 158],
]
const TEMPLATE_SIZE = 224

/** Moves, scales and tilts a head so that its five points lie as in the aligned crop, and then where they are wanted.
 *
 * The pose comes out exactly as the renderer takes it; a few rounds are needed as perspective is not a similarity.
 *
 * @param points - `[68 * 3]` landmarks, model space
 * @param rotation - pitch, yaw, roll to begin with
 */
export function frameFace(
  points: Float64Array,
  rotation: Vector3,
  framing: Framing,
  camera: Camera,
  size: number,
): FramedPose {
  const five = fivePoints(points)
  const target = wantedPoints(framing, size)
  const focal = size / 2 / Math.tan(camera.fieldOfView / 2)
  const pose: FramedPose = { rotation: [...rotation], translation: [0, 0, 0], scale: 1, depthScale: 1 }
  for (let round = 0; round < 6; round++) {
    const matrix = rotationOf(pose.rotation)
    if (framing.distance !== undefined) pose.depthScale = camera.distance / (framing.distance * pose.scale)
    const seen = five.map((point) => {
      const moved = vector3((c) => point[c] + pose.translation[c])
      const [x, y, z] = turn(matrix, moved).map((value) => value * pose.scale)
      const depth =
        camera.projection === 'perspective'
          ? Math.max(1, camera.distance - pose.depthScale * z)
          : camera.distance
      return [size / 2 + (focal * x) / depth, size / 2 - (focal * y) / depth] as const
    })
    const { a, b, from, to } = similarity(seen, target)
    pose.scale *= Math.hypot(a, b)
    // Pixels have y down, so that their angle runs the other way.
    pose.rotation[2] -= Math.atan2(b, a)
    // What the similarity about the picture's middle leaves to be moved, in pixels, then in mm.
    const middle = size / 2
    const cx = middle + a * (from[0] - middle) - b * (from[1] - middle)
    const cy = middle + b * (from[0] - middle) + a * (from[1] - middle)
    const depth = camera.distance / focal / pose.scale
    const shift: Vector3 = [(to[0] - cx) * depth, (cy - to[1]) * depth, 0]
    const back = turnBack(rotationOf(pose.rotation), shift)
    for (let c = 0; c < 3; c++) pose.translation[c] += back[c]
  }
  return pose
}

function fivePoints(points: Float64Array): Vector3[] {
  const mean = (first: number, last: number): Vector3 => {
    const sum = [0, 0, 0]
    for (let i = first; i <= last; i++) for (let c = 0; c < 3; c++) sum[c] += points[i * 3 + c]
    return vector3((c) => sum[c] / (last - first + 1))
  }
  return [mean(36, 41), mean(42, 47), mean(30, 30), mean(48, 48), mean(54, 54)]
}

function wantedPoints({ scale, roll, shift }: Framing, size: number): [number, number][] {
  const factor = size / TEMPLATE_SIZE
  const center = TEMPLATE_SIZE / 2
  const [cos, sin] = [Math.cos(roll) * scale, Math.sin(roll) * scale]
  return TEMPLATE.map(([x, y]) => {
    const [dx, dy] = [x - center, y - center]
    return [
      factor * (center + cos * dx + sin * dy) + shift[0],
      factor * (center - sin * dx + cos * dy) + shift[1],
    ]
  })
}

/** Least squares: `to + (a -b; b a) (p - from)` takes the points to the target. */
function similarity(points: readonly (readonly number[])[], target: readonly (readonly number[])[]) {
  const mean = (list: readonly (readonly number[])[], c: number) =>
    list.reduce((sum, point) => sum + point[c], 0) / list.length
  const from = [mean(points, 0), mean(points, 1)]
  const to = [mean(target, 0), mean(target, 1)]
  let [dot, cross, norm] = [0, 0, 0]
  points.forEach((point, i) => {
    const [x, y] = [point[0] - from[0], point[1] - from[1]]
    const [u, v] = [target[i][0] - to[0], target[i][1] - to[1]]
    dot += x * u + y * v
    cross += x * v - y * u
    norm += x * x + y * y
  })
  return { a: dot / norm, b: cross / norm, from, to }
}

/** Rows of R = Rz(roll) Ry(yaw) Rx(pitch). */
export function rotationOf([pitch, yaw, roll]: Vector3): [Vector3, Vector3, Vector3] {
  const [sx, sy, sz] = [pitch, yaw, roll].map(Math.sin)
  const [cx, cy, cz] = [pitch, yaw, roll].map(Math.cos)
  return [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ]
}

/** R v */
export const turn = (rows: readonly Vector3[], v: Vector3): Vector3 =>
  vector3((r) => rows[r][0] * v[0] + rows[r][1] * v[1] + rows[r][2] * v[2])

/** R^T v */
export const turnBack = (rows: readonly Vector3[], v: Vector3): Vector3 =>
  vector3((c) => rows[0][c] * v[0] + rows[1][c] * v[1] + rows[2][c] * v[2])
