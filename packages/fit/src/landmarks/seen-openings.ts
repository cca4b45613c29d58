import type { DenseLandmarks } from '@facekit/annotate'
import type { NdArray } from 'ndarray'
import { openingOf, type Opening } from './openings.js'

// Contributor notes. The network of dense landmarks sees shut eyes and closed lips a little open (eyes 0.11 of their width, open ones 0.23; lips
// 0.04); the 68 landmarks, with the corrections of closeEyes and closeLips, are 0.02 or wholly open. Each tells 96 of 100 pairs of a shut and
// an open eye apart (lips: 94 and 92), and they err on other faces: lashes that look like an eye, make-up that looks like a lid. The odds are a logistic
// regression on the frames of youtube-faces that a person judged, 29 shut and 35 open eyes, 82 closed and 42 open lips
// (benchmarks/openings.ts).
const EYES = { dense: -42, closed: 3.5, offset: 5.2 }
// The 68 landmarks are 0.3 dense ones, and 0.7 of those of the two networks that learned from photographs: these are what the odds are of.
const LIPS = { dense: -27 + (24 * 0.3) / 0.7, sparse: -24 / 0.7, offset: 3.8 }
/** Openings of the 68 landmarks of an eye that closeEyes left alone, and of one that it closed, in widths. */
const [LEFT_ALONE, CLOSED] = [0.2, 0.02]
/** Probabilities of being closed: up to the first points say all that is known, from the second on it is closed; between, and the least is lost
 * near one of both, something between. */
const DOUBTFUL = [0.3, 0.7] as const
/** Corners that look nearer to each other than this share of their distance are turned away too far. */
const TURNED = 0.6
/** Standard deviation of what is expected, in widths. */
const DEVIATION = { eyes: 0.012, lips: 0.008 }

const EYE_POINTS = [36, 42].map((corner) => ({
  corners: [corner, corner + 3],
  pairs: [
    [corner + 1, corner + 5],
    [corner + 2, corner + 4],
  ],
})) as readonly Pick<Opening, 'corners' | 'pairs'>[]
const LIP_POINTS: Pick<Opening, 'corners' | 'pairs'> = {
  corners: [48, 54],
  pairs: [
    [61, 67],
    [62, 66],
    [63, 65],
  ],
}

/** An opening, and how much less the points of its edges are to be trusted: they were seen at another one. */
export interface SeenOpening extends Opening {
  part: 'eyeRight' | 'eyeLeft' | 'lips'
  /** Pixels by which the edges were seen too far apart. */
  excess: number
}

/** Lids and lips that are probably closed although dense landmarks show them open.
 *
 * Two networks that err independently: the openings that both saw give the odds of a closed one; what is expected lies between open (as the dense
 * landmarks have it) and closed.
 *
 * @param dense - pixels of any picture
 * @param landmarks - `[68, 2]` of another network, pixels of any picture
 * @param places - `[N * 3]` mm: where the points are on the mean face
 */
export function seenOpenings(
  dense: DenseLandmarks,
  landmarks: NdArray<Float32Array>,
  places: ArrayLike<number>,
): SeenOpening[] {
  const size = sizeOf(dense, places)
  const flat = (points: NdArray<Float32Array>) =>
    Float64Array.from({ length: 136 }, (_, i) => points.get(i >> 1, i & 1))
  const [ours, others] = [flat(dense.positions), flat(landmarks)]
  const openings: SeenOpening[] = []
  const expect = (
    part: SeenOpening['part'],
    points: Pick<Opening, 'corners' | 'pairs'>,
    odds: number,
    deviation: number,
  ) => {
    const seen = openingOf(ours, points, 2)
    const closed = smoothStep(1 / (1 + Math.exp(-odds)), ...DOUBTFUL)
    if (closed === 0 || !(seen > 0)) return
    const [a, b] = points.corners
    const width = Math.hypot(ours[2 * b] - ours[2 * a], ours[2 * b + 1] - ours[2 * a + 1])
    const whole = Math.hypot(...[0, 1, 2].map((axis) => places[3 * b + axis] - places[3 * a + axis]))
    if (width < TURNED * whole * size) return
    openings.push({
      ...points,
      part,
      ratio: (1 - closed) * seen,
      deviation,
      excess: closed * seen * width,
    })
  }
  // Few people wink; the eye that is turned away says less.
  const widths = EYE_POINTS.map(({ corners: [a, b] }) =>
    Math.hypot(ours[2 * b] - ours[2 * a], ours[2 * b + 1] - ours[2 * a + 1]),
  )
  const mean = (points: Float64Array) =>
    EYE_POINTS.reduce((sum, eye, i) => sum + widths[i] * Math.min(1, openingOf(points, eye, 2)), 0) /
    (widths[0] + widths[1])
  const acted = Math.min(1, Math.max(0, (LEFT_ALONE - mean(others)) / (LEFT_ALONE - CLOSED)))
  const odds = EYES.dense * mean(ours) + EYES.closed * acted + EYES.offset
  expect('eyeRight', EYE_POINTS[0], odds, DEVIATION.eyes)
  expect('eyeLeft', EYE_POINTS[1], odds, DEVIATION.eyes)
  const lips = [ours, others].map((points) => openingOf(points, LIP_POINTS, 2))
  expect('lips', LIP_POINTS, LIPS.dense * lips[0] + LIPS.sparse * lips[1] + LIPS.offset, DEVIATION.lips)
  return openings
}

function smoothStep(x: number, from: number, to: number): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)))
  return t * t * (3 - 2 * t)
}

/** Pixels for each mm of the mean face: how widely the points are spread in space. */
function sizeOf({ positions, depths }: DenseLandmarks, places: ArrayLike<number>): number {
  const count = depths.length
  const seen = (i: number, axis: number) => (axis < 2 ? positions.get(i, axis) : depths[i])
  const spread = (at: (i: number, axis: number) => number) => {
    let total = 0
    for (let axis = 0; axis < 3; axis++) {
      let [sum, squares] = [0, 0]
      for (let i = 0; i < count; i++) {
        sum += at(i, axis)
        squares += at(i, axis) ** 2
      }
      total += squares / count - (sum / count) ** 2
    }
    return Math.sqrt(total)
  }
  return spread(seen) / spread((i, axis) => places[3 * i + axis])
}
