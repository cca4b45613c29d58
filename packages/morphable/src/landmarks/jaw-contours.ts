import { normalsOf } from '@facekit/mesh'

/** Distance between two places that are looked at, and how far they go inwards, mm. */
const STEP = 1.2
const LENGTH = 38

/** For each of the 17 jaw landmarks, the vertices that can be the outline of the cheek when the head turns: from the landmark
 * inwards along its height, turning upwards towards the chin.
 *
 * @param positions - `[N * 3]` mm, model space
 * @param landmarks - `[68]` vertices
 */
export function findJawContours(
  positions: ArrayLike<number>,
  triangles: Int32Array,
  landmarks: Int32Array,
): Int32Array[] {
  const count = positions.length / 3
  const normals = normalsOf(positions, triangles)
  // The surface unrolled: millimetres around the head, and height.
  const axis = (positions[landmarks[0] * 3 + 2] + positions[landmarks[16] * 3 + 2]) / 2
  const around = (v: number) => Math.atan2(positions[v * 3], positions[v * 3 + 2] - axis + 20) * 75
  const unrolled = new Float64Array(count * 2)
  const outside: number[] = []
  for (let v = 0; v < count; v++) {
    unrolled[v * 2] = around(v)
    unrolled[v * 2 + 1] = positions[v * 3 + 1]
    const outward =
      normals[v * 3] * positions[v * 3] + normals[v * 3 + 2] * (positions[v * 3 + 2] - axis + 20)
    if (outward > 0) outside.push(v)
  }
  return Array.from(landmarks.subarray(0, 17), (landmark, k) => {
    const turn = (Math.PI / 2) * Math.sign(8 - k) * [0, 0.2, 0.45, 0.75, 1][Math.min(Math.abs(8 - k), 4)]
    const near = outside.filter(
      (v) =>
        Math.hypot(
          unrolled[v * 2] - unrolled[landmark * 2],
          unrolled[v * 2 + 1] - unrolled[landmark * 2 + 1],
        ) <
        LENGTH + 5,
    )
    const row = [landmark]
    for (let along = STEP; along < LENGTH; along += STEP) {
      const u = unrolled[landmark * 2] + Math.sin(turn) * along
      const y = unrolled[landmark * 2 + 1] + Math.cos(turn) * along
      let best = -1
      let bestDistance = 4
      for (const v of near) {
        const distance = Math.hypot(unrolled[v * 2] - u, unrolled[v * 2 + 1] - y)
        if (distance < bestDistance) {
          best = v
          bestDistance = distance
        }
      }
      if (best >= 0 && !row.includes(best)) row.push(best)
    }
    return Int32Array.from(row)
  })
}
