import type { HeadModel } from './head-model.js'

/** Where the middle of the projection lies behind the middle of the rim, as a share of the head's depth there. */
const BEHIND = 0.35

/** Places of the rest of a head in a disc: directions from the middle of the head, by their angle to straight back and by the way they point (azimuthal
 * equidistant projection). Folds of the ears lie over each other; the rest doesn't.
 *
 * @returns `[(R + M) * 2]` within 0..1, the rim first
 */
export function azimuthalUv({ borderMean, rimLength, mean }: HeadModel): Float32Array {
  const positions = [...borderMean.subarray(0, 3 * rimLength), ...mean]
  const middle = [0, 1, 2].map(
    (c) =>
      borderMean.subarray(0, 3 * rimLength).reduce((sum, value, i) => sum + (i % 3 === c ? value : 0), 0) /
      rimLength,
  )
  let back = 0
  for (let i = 2; i < mean.length; i += 3) back = Math.min(back, mean[i])
  middle[2] += BEHIND * (back - middle[2])
  const count = positions.length / 3
  const angles = new Float64Array(count)
  for (let v = 0; v < count; v++) {
    const [x, y, z] = middle.map((value, c) => positions[3 * v + c] - value)
    angles[v] = Math.atan2(Math.hypot(x, y), -z)
  }
  const widest = angles.reduce((a, b) => Math.max(a, b), 0)
  const uv = new Float32Array(2 * count)
  for (let v = 0; v < count; v++) {
    const [x, y] = [positions[3 * v] - middle[0], positions[3 * v + 1] - middle[1]]
    const radius = (0.5 * angles[v]) / widest / (Math.hypot(x, y) || 1)
    uv[2 * v] = 0.5 + radius * x
    uv[2 * v + 1] = 0.5 + radius * y
  }
  return uv
}
