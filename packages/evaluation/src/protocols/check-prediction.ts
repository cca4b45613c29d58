import { type Surface, surfaceTarget } from '@facekit/mesh'
import { rowsOf, usedVertices } from '../measures/align-icp.js'
import { centerOf, spreadOf } from '../measures/align-landmarks.js'
import { frontDirection } from '../measures/front-direction.js'
import { quantileOf } from '../measures/summarize.js'
import { pointToSurface } from '../measures/surface-distances.js'

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

/** Half of the landmarks lie nearer to the mesh than this share of their spread. */
const OFF = 0.25
/** A mesh whose vertices leave a plane by less than this share of their spread has no depth. */
const FLAT = 0.01

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
  const flat = flatness(prediction)
  if (flat !== undefined) fail(flat)
  else if (medianOff(landmarks, prediction) > OFF * spreadOf(landmarks))
    fail('has landmarks that lie off its surface: do they belong to it, in the same unit and axes?')
  if (problems.some(({ fatal }) => fatal)) return problems
  const ratio = spreadOf(truthLandmarks) / spreadOf(landmarks)
  const unit = UNITS.find(([factor]) => Math.abs(Math.log(ratio / factor)) < Math.log(1.6))
  const times = ratio >= 1 ? `${rounded(ratio)} times smaller` : `${rounded(1 / ratio)} times larger`
  if (unit) hint(`is ${times} than the truth: ${unit[1]}? ${unit[2]} for metric scores`)
  else if (Math.abs(Math.log(ratio)) > Math.log(1.6))
    hint(`is ${times} than the truth, which no unit explains; scores are those after a similarity`)
  const upsideDown = axisProblem(landmarks)
  if (upsideDown) hint(upsideDown)
  return problems
}

const rounded = (value: number) => Number(value.toPrecision(2)).toString()

/** Median distance of points from a surface. */
const medianOff = (points: ArrayLike<number>, surface: Surface) =>
  quantileOf(pointToSurface(points, surfaceTarget(surface)).sort(), 0.5)

/** What is wrong with a mesh that has no depth, or no size at all. */
function flatness(mesh: Surface): string | undefined {
  const points = rowsOf(mesh.positions, usedVertices(mesh.triangles))
  const spread = spreadOf(points)
  if (!(spread > 0)) return 'has all vertices in one place'
  const center = centerOf(points)
  const normal = frontDirection(mesh, center, Infinity)
  const length = Math.hypot(...normal)
  if (!(length > 0)) return undefined
  let sum = 0
  for (let i = 0; i < points.length; i += 3)
    sum += [0, 1, 2].reduce((dot, c) => dot + ((points[i + c] - center[c]) * normal[c]) / length, 0) ** 2
  const depth = Math.sqrt((3 * sum) / points.length)
  return depth < FLAT * spread ? 'is flat: its vertices lie in a plane' : undefined
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
  return `has its eyes above its mouth along ${up[axis] > 0 ? '+' : '-'}${'xyz'[axis]}, expected +y; landmarks turn it, but a mirrored axis cannot be turned back`
}
