import { RADIUS } from '../eyeballs.js'
import type { Eye } from './eyes.js'
import { sealLips } from './lips.js'
import type { MeanFace } from './mean.js'

/** One expression at full activation. */
export interface ScannedExpression {
  name: string
  /** `[S * 3]` mm displacement of the skin. */
  field: Float64Array
  /** Rotation of an eyeball about its centre: (pitch, yaw) in radians, up and to +x positive. */
  gaze?: { side: 'right' | 'left'; pitch: number; yaw: number }
}

/** What lids keep between them and the eyeball, mm. */
const CLEARANCE = 0.2
/** Where closed lids lie, mm from the eyeball: the upper before the lower, which it covers by some mm in the middle. */
const CLOSED = { upper: 0.75, lower: 0.35, overlap: 1.6 } as const
/** Upper and lower lip may press into each other by so much, mm. */
const PRESSED = 0.3
const DEGREES = Math.PI / 180
const GAZE = {
  eyeLookUp: { pitch: 24, yaw: 0 },
  eyeLookDown: { pitch: -28, yaw: 0 },
  eyeLookIn: { pitch: 0, yaw: 28 },
  eyeLookOut: { pitch: 0, yaw: -28 },
} as const

/** Makes ICT-FaceKit's expressions ours: lids keep to our eyeballs and close, lips do not pass through each other.
 *
 * @param face - the mean face
 * @param fields - `[S * 3]` mm by ICT's names, at our vertices
 * @param names - ours, like ARKit's
 */
export function adaptExpressions(
  face: MeanFace,
  fields: ReadonlyMap<string, Float64Array>,
  names: readonly string[],
): ScannedExpression[] {
  return names.map((name) => {
    const side = /(Left|Right)$/.exec(name)?.[1]
    const stem = side && name.slice(0, -side.length)
    const source = fields.get(name) ?? fields.get(`${stem}_${side![0]}`)
    if (!source) throw new Error(`adaptExpressions: ICT-FaceKit has no ${name}`)
    const field = source.slice()
    const own = side === 'Left' ? 'left' : 'right'
    for (const eye of face.eyes) {
      if (stem === 'eyeBlink' && eye.side === own) closeEye(face, eye, field)
      keepOffEyeball(face, eye, field)
    }
    const shape = face.positions.slice(0, field.length).map((value, i) => value + field[i])
    sealLips(face.lips, shape, field, (height) => Math.max(height, -PRESSED))
    const turn = stem !== undefined && stem in GAZE ? GAZE[stem as keyof typeof GAZE] : undefined
    if (!turn) return { name, field }
    // The subject's left eye is at +x: it looks in when it turns to -x.
    const yaw = turn.yaw * DEGREES * (own === 'left' ? -1 : 1)
    return { name, field, gaze: { side: own, pitch: turn.pitch * DEGREES, yaw } }
  })
}

/** Lays the edges of the lids upon each other: the lower where it goes to, the upper a little over it. */
function closeEye({ positions }: MeanFace, eye: Eye, field: Float64Array): void {
  const { loop, center } = eye
  const at = (i: number) => [0, 1, 2].map((c) => positions[i * 3 + c] + field[i * 3 + c])
  const onEyeball = (place: readonly number[], distance: number) => {
    const [x, y] = [place[0] - center[0], place[1] - center[1]]
    const z = Math.sqrt(Math.max((RADIUS + distance) ** 2 - x ** 2 - y ** 2, 0))
    return [place[0], place[1], center[2] + z]
  }
  const corrections = loop.map(() => [0, 0, 0])
  const half = loop.length / 2
  for (let k = 1; k < half; k++) {
    const [upper, lower] = [loop[k], loop[loop.length - k]]
    const height = Math.sin((Math.PI * k) / half) ** 0.7
    const [u, l] = [at(upper), at(lower)]
    // Towards the corners flesh, and no eyeball, lies behind the lids.
    const mix = (place: number[], wanted: number[]) =>
      place.map((value, c) => value + height * (wanted[c] - value))
    const lowerPlace = mix(l, onEyeball(l, CLOSED.lower))
    const meeting = [u[0], lowerPlace[1] - CLOSED.overlap * height, lowerPlace[2]]
    const upperPlace = mix(meeting, onEyeball(meeting, CLOSED.upper))
    corrections[k] = upperPlace.map((value, c) => value - u[c])
    corrections[loop.length - k] = lowerPlace.map((value, c) => value - l[c])
  }
  applyToLids(eye, corrections, field)
}

/** Pushes lids out where they would pass through the eyeball, at a part of the expression or all of it. */
function keepOffEyeball({ positions }: MeanFace, eye: Eye, field: Float64Array): void {
  const { loop, center } = eye
  const corrections = loop.map((i) => {
    let needed = 0
    let direction = [0, 0, 0]
    for (const amount of [0.25, 0.5, 0.75, 1]) {
      const away = [0, 1, 2].map((c) => positions[i * 3 + c] + amount * field[i * 3 + c] - center[c])
      const distance = Math.hypot(...away)
      const rest = Math.hypot(...[0, 1, 2].map((c) => positions[i * 3 + c] - center[c])) - RADIUS
      const missing = (RADIUS + Math.min(CLEARANCE, rest) - distance) / amount
      if (missing > needed) {
        needed = missing
        direction = away.map((value) => value / distance)
      }
    }
    return direction.map((value) => value * needed)
  })
  applyToLids(eye, corrections, field)
}

function applyToLids(eye: Eye, corrections: readonly number[][], field: Float64Array): void {
  for (const { vertex, shares } of eye.around) {
    for (const [k, share] of shares) {
      for (let c = 0; c < 3; c++) field[vertex * 3 + c] += share * corrections[k][c]
    }
  }
}
