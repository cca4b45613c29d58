/** A pose as of `FaceParameters` (Eq. 3): `v' = scale * R * (v + translation)`, `R = Rz(roll) Ry(yaw) Rx(pitch)`. */
export interface FacePose {
  /** Pitch, yaw, roll, radians. */
  rotation: readonly [number, number, number]
  /** mm. */
  translation: readonly [number, number, number]
  scale: number
}

/** A pose as a node of glTF has it: scaled first, then turned, then moved. For one key of a `FaceAnimation`.
 *
 * @returns a unit quaternion x, y, z, w; `translation` in mm: `scale * R * translation` of the pose; the scale
 */
export function poseMotion({ rotation: [pitch, yaw, roll], translation, scale }: FacePose): {
  rotation: [number, number, number, number]
  translation: [number, number, number]
  scale: number
} {
  const [cx, sx, cy, sy, cz, sz] = [pitch, yaw, roll].flatMap((angle) => [
    Math.cos(angle / 2),
    Math.sin(angle / 2),
  ])
  // Rz Ry Rx.
  const x = cz * cy * sx - sz * sy * cx
  const y = cz * sy * cx + sz * cy * sx
  const z = sz * cy * cx - cz * sy * sx
  const w = cz * cy * cx + sz * sy * sx
  // t + 2 w (u x t) + 2 u x (u x t), u the quaternion's vector.
  const [tx, ty, tz] = translation
  const [ox, oy, oz] = [y * tz - z * ty, z * tx - x * tz, x * ty - y * tx]
  const [rx, ry, rz] = [y * oz - z * oy, z * ox - x * oz, x * oy - y * ox]
  return {
    rotation: [x, y, z, w],
    translation: [
      scale * (tx + 2 * w * ox + 2 * rx),
      scale * (ty + 2 * w * oy + 2 * ry),
      scale * (tz + 2 * w * oz + 2 * rz),
    ],
    scale,
  }
}
