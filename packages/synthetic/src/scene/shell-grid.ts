import { vector3, type Vector3 } from '../vector.js'
import { gridTriangles } from './mesh-part.js'
import { HEAD_CENTER, outwards } from './head-part.js'

/** A grid of directions around the head, from the crown down: what hair and hats are made of. */
export interface ShellGrid {
  /** V. */
  count: number
  /** `[V * 3]` unit length. */
  directions: Float32Array
  /** `[V]` distance of the mean head's surface from `HEAD_CENTER`, mm. */
  radius: Float32Array
  /** `[V * 2]` around the crown, and down from it, 0..1. */
  uv: Float32Array
  /** `[V]` vertex of the scene that is nearest. */
  nearest: Int32Array
  triangles: Int32Array
}

const ROWS = 44
const COLUMNS = 81
/** Down to here, radians from the crown. */
const LAST = 2.95
/** Where hair grows from: up, and a bit to the back. */
const CROWN_TILT = 0.3

/** Lays a grid over a head.
 *
 * @param positions - `[N * 3]` of face and head on the mean face
 */
export function shellGrid(positions: Float32Array): ShellGrid {
  const count = ROWS * COLUMNS
  const directions = new Float32Array(count * 3)
  const uv = new Float32Array(count * 2)
  for (let r = 0, v = 0; r < ROWS; r++) {
    for (let c = 0; c < COLUMNS; c++, v++) {
      const polar = (r / (ROWS - 1)) * LAST
      // The seam is at the back.
      const azimuth = (c / (COLUMNS - 1)) * 2 * Math.PI
      const [x, up, front] = [
        -Math.sin(azimuth) * Math.sin(polar),
        Math.cos(polar),
        -Math.cos(azimuth) * Math.sin(polar),
      ]
      const y = up * Math.cos(CROWN_TILT) + front * Math.sin(CROWN_TILT)
      const z = front * Math.cos(CROWN_TILT) - up * Math.sin(CROWN_TILT)
      directions.set([x, y, z], v * 3)
      uv.set([c / (COLUMNS - 1), r / (ROWS - 1)], v * 2)
    }
  }
  return {
    count,
    directions,
    uv,
    ...distances(positions, directions, count),
    triangles: outwards(directions, gridTriangles(ROWS, COLUMNS), [0, 0, 0]),
  }
}

/** For each direction the outermost surface near it: the mean of the vertices that are seen closest to it. */
function distances(positions: Float32Array, directions: Float32Array, count: number) {
  const total = positions.length / 3
  const seen = new Float32Array(total * 4)
  for (let v = 0; v < total; v++) {
    const offset = [0, 1, 2].map((c) => positions[v * 3 + c] - HEAD_CENTER[c])
    const distance = Math.hypot(...offset)
    seen.set([...offset.map((value) => value / distance), distance], v * 4)
  }
  const radius = new Float32Array(count)
  const nearest = new Int32Array(count)
  for (let d = 0; d < count; d++) {
    const [x, y, z] = directions.subarray(d * 3, d * 3 + 3)
    let best = -1
    for (let v = 0; v < total; v++) {
      const near = x * seen[v * 4] + y * seen[v * 4 + 1] + z * seen[v * 4 + 2]
      if (near > best) [best, nearest[d]] = [near, v]
    }
    let [sum, weights] = [0, 0]
    for (let v = 0; v < total; v++) {
      const near = x * seen[v * 4] + y * seen[v * 4 + 1] + z * seen[v * 4 + 2]
      if (near < 0.9985) continue
      const weight = Math.exp((near - 1) * 4000) + 1e-9
      sum += weight * seen[v * 4 + 3]
      weights += weight
    }
    radius[d] = weights > 0 ? sum / weights : seen[nearest[d] * 4 + 3]
  }
  return { radius, nearest }
}

/** Point of the mean head below a vertex of the grid. */
export const surfacePoint = ({ directions, radius }: ShellGrid, v: number): Vector3 =>
  vector3((c) => HEAD_CENTER[c] + directions[v * 3 + c] * radius[v])
