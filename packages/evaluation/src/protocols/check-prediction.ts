import type { Surface } from '@facekit/mesh'
import { spreadOf } from '../measures/align-landmarks.js'

/** What is known of a prediction before it is compared. */
export interface PredictionCheck {
  prediction: Surface
  /** `[L * 3]` its landmarks. */
  landmarks?: ArrayLike<number>
  /** `[L * 3]` the same landmarks of the truth. */
  truthLandmarks?: ArrayLike<number>
  /** Vertices and triangles of the other predictions of the method. */
  others?: { vertices: number; triangles: number }
}

/** What is wrong with a prediction. */
export interface PredictionProblem {
  /** Whether it cannot be compared; otherwise a hint. */
  fatal: boolean
  /** A line: what, and what to do. */
  message: string
}

/** Units by their millimetres. */
const UNITS = [
  [0.001, 'micrometres', 'multiply by 0.001'],
  [10, 'centimetres', 'multiply by 10'],
  [1000, 'metres', 'multiply by 1000'],
] as const

/** Looks at a prediction before it is scored: numbers, triangles, topology, landmarks, unit and axes. Nothing is thrown. */
export function checkPrediction({ prediction, ...known }: PredictionCheck): PredictionProblem[] {
  const { landmarks, truthLandmarks, others } = known
  const { positions, triangles } = prediction
  const count = positions.length / 3
  const problems: PredictionProblem[] = []
  const fail = (message: string) => problems.push({ fatal: true, message })
  const hint = (message: string) => problems.push({ fatal: false, message })
  const wrong = Array.prototype.findIndex.call(positions, (value: number) => !Number.isFinite(value))
  if (wrong >= 0)
    fail(`vertex ${Math.floor(wrong / 3)} is not finite; the reconstruction has failed, write none instead`)
  if (triangles.length === 0)
    fail('has no triangles: a cloud of points is no surface; write its triangles too')
  const outside = triangles.find((vertex) => vertex < 0 || vertex >= count)
  if (outside !== undefined) fail(`a triangle names vertex ${outside}, there are ${count}`)
  if (others && (others.vertices !== count || others.triangles !== triangles.length / 3))
    hint(
      `has ${count} vertices and ${triangles.length / 3} triangles, others of the method ${others.vertices} and ${others.triangles}: the same topology for all is needed to average them`,
    )
  if (!landmarks || !truthLandmarks) return problems
  const lost = Array.prototype.findIndex.call(landmarks, (value: number) => !Number.isFinite(value))
  if (lost >= 0) fail(`landmark ${Math.floor(lost / 3)} is not finite`)
  if (problems.some(({ fatal }) => fatal)) return problems
  const ratio = spreadOf(truthLandmarks) / spreadOf(landmarks)
  const unit = UNITS.find(([factor]) => Math.abs(Math.log(ratio / factor)) < Math.log(1.6))
  if (unit)
    hint(`is ${ratio.toPrecision(2)} times smaller than the truth: ${unit[1]}? ${unit[2]} for metric scores`)
  const upsideDown = axisProblem(landmarks)
  if (upsideDown) hint(upsideDown)
  return problems
}

/** Whether the landmarks look elsewhere than along +z with +y up; needs the 68 or NoW's seven. */
function axisProblem(landmarks: ArrayLike<number>): string | undefined {
  const [eyes, mouth] =
    landmarks.length === 204
      ? [
          [36, 45],
          [48, 54],
        ]
      : landmarks.length === 21
        ? [
            [0, 3],
            [5, 6],
          ]
        : []
  if (!eyes || !mouth) return undefined
  const middle = ([a, b]: number[]) => [0, 1, 2].map((c) => (landmarks[a * 3 + c] + landmarks[b * 3 + c]) / 2)
  const up = middle(eyes).map((value, c) => value - middle(mouth)[c])
  const axis = up.map(Math.abs).indexOf(Math.max(...up.map(Math.abs)))
  if (axis === 1 && up[1] > 0) return undefined
  return `its eyes are above its mouth along ${up[axis] > 0 ? '+' : '-'}${'xyz'[axis]}, expected +y; landmarks turn it, but a mirrored axis cannot be turned back`
}
