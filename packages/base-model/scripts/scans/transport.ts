import type { Registration } from './register-template.js'

/** A displacement field of ICT-FaceKit at our skin's vertices, in our axes: `[S * 3]` mm.
 *
 * @param rotation - `[9]` from ICT's axes to ours
 */
export function transportField(
  { corners, weights }: Registration,
  rotation: Float64Array,
  field: ArrayLike<number>,
): Float64Array {
  const result = new Float64Array(corners.length)
  for (let v = 0; v < corners.length; v += 3) {
    const at = [0, 0, 0]
    for (let k = 0; k < 3; k++) {
      for (let c = 0; c < 3; c++) at[c] += weights[v + k] * field[corners[v + k] * 3 + c]
    }
    for (let r = 0; r < 3; r++) {
      result[v + r] = rotation[r * 3] * at[0] + rotation[r * 3 + 1] * at[1] + rotation[r * 3 + 2] * at[2]
    }
  }
  return result
}
