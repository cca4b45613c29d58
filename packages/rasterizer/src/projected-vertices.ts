/** Bits of `ProjectedVertices.flags`; 0 is a vertex between the near and the far plane. */
export const BEHIND = 1
export const BEFORE_NEAR = 2
export const BEYOND_FAR = 4
export const NOT_FINITE = 8

/** The vertices of one mesh in homogeneous pixel space (origin top left, y down), for the scan.
 *
 * A vertex in front of the eye is divided by its w, so its `w` is 1 and `inverseScale` is 1 / w of clip space. One behind the
 * eye is left undivided, `inverseScale` 1. Both are the same point up to a positive factor.
 */
export interface ProjectedVertices {
  x: Float64Array
  y: Float64Array
  z: Float64Array
  w: Float64Array
  inverseScale: Float64Array
  flags: Uint8Array
}

const allocate = (count: number): ProjectedVertices => ({
  x: new Float64Array(count),
  y: new Float64Array(count),
  z: new Float64Array(count),
  w: new Float64Array(count),
  inverseScale: new Float64Array(count),
  flags: new Uint8Array(count),
})

/** Kept from call to call: fresh memory of this size costs more than the work on it. */
let scratch = allocate(0)

/** Projects `[N, 4]` clip-space vertices that start at `offset`. Clip space has y up: here, and only here, it is flipped.
 *
 * Memory: the result is valid until the next call.
 */
export function projectVertices(
  clip: Float32Array,
  offset: number,
  count: number,
  width: number,
  height: number,
): ProjectedVertices {
  if (scratch.flags.length < count) scratch = allocate(count)
  const { x, y, z, w, inverseScale, flags } = scratch
  for (let i = 0, k = offset; i < count; i++, k += 4) {
    const cx = clip[k]
    const cy = clip[k + 1]
    const cz = clip[k + 2]
    const cw = clip[k + 3]
    const sum = cx + cy + cz + cw
    if (sum - sum !== 0) {
      flags[i] = NOT_FINITE
      continue
    }
    let flag = 0
    if (cz < -cw) flag |= BEFORE_NEAR
    if (cz > cw) flag |= BEYOND_FAR
    if (cw > 0) {
      const inverse = 1 / cw
      x[i] = (cx * inverse * 0.5 + 0.5) * width
      y[i] = (0.5 - cy * inverse * 0.5) * height
      z[i] = cz * inverse
      w[i] = 1
      inverseScale[i] = inverse
    } else {
      flag |= BEHIND
      x[i] = (cx + cw) * 0.5 * width
      y[i] = (cw - cy) * 0.5 * height
      z[i] = cz
      w[i] = cw
      inverseScale[i] = 1
    }
    flags[i] = flag
  }
  return scratch
}
