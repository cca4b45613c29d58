/** A face unrolled from a cylinder: angle around the head's vertical axis, and height.
 *
 * @param positions - `[N * 3]` mm, model space
 * @returns `[N * 2]` radians and mm
 */
export function cylindricalCoordinates(positions: ArrayLike<number>): Float64Array {
  const count = positions.length / 3
  const result = new Float64Array(count * 2)
  let axis = Infinity
  for (let v = 0; v < count; v++) axis = Math.min(axis, positions[v * 3 + 2])
  for (let v = 0; v < count; v++) {
    result[v * 2] = Math.atan2(positions[v * 3], positions[v * 3 + 2] - axis + 30)
    result[v * 2 + 1] = positions[v * 3 + 1]
  }
  return result
}
