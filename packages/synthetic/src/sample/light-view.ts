import { vector3, type Vector3 } from '../vector.js'
import { rotationOf, turn, type SampledPose } from './frame-face.js'

/** Half of the width, height and depth of what casts shadows, mm of the head. */
const REACH = 190
/** Middle of it, model space. */
const MIDDLE: Vector3 = [0, 0, -20]

const cross = (a: Vector3, b: Vector3): Vector3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
const unit = (v: Vector3): Vector3 => {
  const length = Math.hypot(...v) || 1
  return vector3((c) => v[c] / length)
}

/** How a lamp far away sees a head: `[12]`, a matrix for row vectors of world space and what is added, to x and y in -1..1 and to z as in
 * clip space, larger farther away from the lamp.
 *
 * @param direction - to the lamp
 */
export function lightView(direction: Vector3, head: SampledPose): number[] {
  const away = unit(vector3((c) => -direction[c]))
  const right = unit(cross(away, Math.abs(away[1]) < 0.9 ? [0, 1, 0] : [0, 0, 1]))
  const axes = [right, cross(right, away), away]
  const moved = vector3((c) => MIDDLE[c] + head.translation[c])
  const center = turn(rotationOf(head.rotation), moved).map((value) => value * head.scale)
  const size = REACH * head.scale
  const linear = [0, 1, 2].flatMap((from) => axes.map((axis) => axis[from] / size))
  const shift = axes.map((axis) => -axis.reduce((sum, value, c) => sum + value * center[c], 0) / size)
  return [...linear, ...shift]
}
