import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'

/** The hinge of a jaw, and how far each vertex goes along with it. */
export interface JawHinge {
  /** Middle of the axis through both condyles, which is parallel to x, mm. */
  center: [number, number, number]
  /** Turn about +x that is nearest to `jawOpen` at full activation, radians. */
  openAngle: number
  /** `[N]` 0 for what stays, 1 for what turns with the jaw. */
  weights: Float32Array
}

/** The contour's landmarks next to the condyles: the second from either ear. */
const BESIDE_CONDYLES = [1, 15] as const
/** What moves by less than this share of the largest movement says little about the angle. */
const JAW_SHARE = 0.5
/** Weights end here: the brow must not nod by a hundredth. */
const LEAST_WEIGHT = 0.03
/** Near the axis a turn moves nothing, and its share of a movement is noise: movements below this, mm, count less. */
const NOISE = 4

/** Finds how the jaw of a model's mean face turns, from what its blend shape `jawOpen` moves.
 *
 * A jaw that opens turns about its condyles and slides forward; the joint is the turn alone, about the axis through the condyles, which are at the height
 * and depth of the second landmarks of the jaw's contour. The angle is the one whose movement of the chin is nearest to the shape's
 * (least squares), and a vertex's weight the share of the turn in its own movement: `w = clamp(d . r / (r . r))`, where the shape moves it by d and the turn by r.
 *
 * @param jawOpen - `[N * 3]` mm
 * @returns undefined when the shape doesn't open the jaw
 */
export function jawHinge(model: MorphableModel, jawOpen: ArrayLike<number>): JawHinge | undefined {
  const mean = denseData(model.shape.mean)
  const [right, left] = BESIDE_CONDYLES.map((l) => 3 * model.landmarks[l])
  const center = [0, 1, 2].map((c) => (mean[right + c] + mean[left + c]) / 2) as JawHinge['center']
  const lengths = Float64Array.from({ length: model.vertexCount }, (_, v) =>
    Math.hypot(jawOpen[3 * v], jawOpen[3 * v + 1], jawOpen[3 * v + 2]),
  )
  const most = lengths.reduce((a, b) => Math.max(a, b), 0)
  let [sin, cos] = [0, 0]
  for (let v = 0; v < model.vertexCount; v++) {
    if (lengths[v] < JAW_SHARE * most) continue
    const [y, z] = [mean[3 * v + 1] - center[1], mean[3 * v + 2] - center[2]]
    const [movedY, movedZ] = [y + jawOpen[3 * v + 1], z + jawOpen[3 * v + 2]]
    cos += y * movedY + z * movedZ
    sin += y * movedZ - z * movedY
  }
  const openAngle = Math.atan2(sin, cos)
  if (!(openAngle > 0.01)) return undefined
  const weights = new Float32Array(model.vertexCount)
  for (let v = 0; v < model.vertexCount; v++) {
    const [y, z] = [mean[3 * v + 1] - center[1], mean[3 * v + 2] - center[2]]
    const turnedY = y * (Math.cos(openAngle) - 1) - z * Math.sin(openAngle)
    const turnedZ = y * Math.sin(openAngle) + z * (Math.cos(openAngle) - 1)
    const along = jawOpen[3 * v + 1] * turnedY + jawOpen[3 * v + 2] * turnedZ
    const share = Math.min(along / (turnedY ** 2 + turnedZ ** 2 + NOISE ** 2), 1)
    weights[v] = Math.max(0, (share - LEAST_WEIGHT) / (1 - LEAST_WEIGHT))
  }
  return { center, openAngle, weights }
}
