import type { Random } from '@facekit/core'

/** How a head is turned, radians. */
export interface SampledRotation {
  pitch: number
  yaw: number
  /** Of the head on its neck. */
  tilt: number
  /** Of all that is in the picture. */
  roll: number
}

/** Share of heads that look about to the front, and of pictures that are about upright; the others are turned anywhere. */
const FRONTAL = 0.5
/** Degrees that a neck tilts at most. */
const TILT = 40
/** Standard deviation of the yaw of heads that look about to the front, and of the roll of pictures that are about upright, degrees. */
const AHEAD = 16

/** How a head is turned: half of the heads look about to the front, the others anywhere. A roll of more than a neck allows is one of the
 * picture: somebody lies, or the camera was turned.
 *
 * @param limits - largest angles, degrees
 */
export function sampleRotation(
  random: Random,
  { yaw, pitch, roll }: { yaw: number; pitch: number; roll: number },
): SampledRotation {
  const degree = Math.PI / 180
  const within = (value: number, limit: number) => Math.min(limit, Math.max(-limit, value)) * degree
  const anywhere = (limit: number) => {
    const ahead = random.normal(0, Math.min(AHEAD, limit / 4))
    const anyhow = random.uniform(-limit, limit)
    return within(random.uniform() < FRONTAL ? ahead : anyhow, limit)
  }
  const neck = Math.min(TILT, roll)
  return {
    yaw: anywhere(yaw),
    pitch: within(random.normal(0, pitch / 2.4), pitch),
    tilt: within(random.normal(0, 0.35 * neck), neck),
    roll: anywhere(roll - neck),
  }
}
