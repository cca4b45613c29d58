import type { ShapedArray } from './shaped-array.js'

/** FLAME's joints: root, neck, jaw, right eye, left eye. */
const JAW = 2
/** One deviation of the jaw's angle, radians. */
const ANGLE = 0.15

/** The jaw of FLAME-like models as a linear mode: they open the mouth by turning the jaw about its joint, with each vertex
 * following by its weight, so without such a mode the mouth would stay shut.
 *
 * @param arrays - `J_regressor` `[5, N]` and `weights` `[N, 5]`, both dense
 * @returns one mode `[3N]`: opening by 0.15 rad, to first order in the angle; undefined where there are no joints
 */
export function jawModes(
  arrays: ReadonlyMap<string, ShapedArray>,
  mean: ShapedArray,
): Float32Array[] | undefined {
  const regressor = arrays.get('J_regressor')
  const weights = arrays.get('weights')
  const count = mean.data.length / 3
  const joints = (weights?.data.length ?? 0) / count
  if (!regressor || !weights || joints !== 5 || regressor.data.length !== joints * count) return undefined
  const joint = [0, 0, 0]
  for (let v = 0; v < count; v++) {
    for (let c = 0; c < 3; c++) joint[c] += regressor.data[JAW * count + v] * mean.data[v * 3 + c]
  }
  const mode = new Float32Array(count * 3)
  for (let v = 0; v < count; v++) {
    const angle = ANGLE * weights.data[v * joints + JAW]
    const y = mean.data[v * 3 + 1] - joint[1]
    const z = mean.data[v * 3 + 2] - joint[2]
    mode[v * 3 + 1] = -angle * z
    mode[v * 3 + 2] = angle * y
  }
  return [mode]
}
