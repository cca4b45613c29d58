import { Matrix, solve } from 'ml-matrix'
import { mirrored, type AlignedFace } from './align-faces.js'
import { identityTrust } from './identity-statistics.js'
import { CONTROL_COUNT, type LearningTemplate } from './learning-template.js'

/** Expression modes changed by what was seen. */
export interface LearnedExpressions {
  /** `[Ke][468 * 3]` mm at full activation. */
  fields: Float64Array[]
  /** Share of the variance within people (x and y, without the eyes) that the modes explain, before and after. */
  explained: { before: number; after: number }
}

/** Modes whose motion the network does not see: it never closes an eye, and knows no gaze. They stay as they are. */
const UNSEEN = /^eye/
/** A mode's own shape counts as much as this share of all that was seen, spread over the modes. */
const PRIOR_SHARE = 0.5
/** Price of an activation, mm^2 of mean square: keeps noise from switching modes on. */
const SPARSITY = 0.03
/** Motion of a mode at which half of its change is taken over, mm. */
const LOCAL = 0.7
const ROUNDS = 3
const SWEEPS = 25

/** Bends the named expression modes towards how faces were seen to move: alternates between each photograph's activations
 * (0 to 1, least squares) and the modes' shapes (least squares, held by their own shape; after Li, Weise and Pauly,
 * "Example-based facial rigging", 2010). The network's depth is damped, so only x and y are learned. Left and right stay
 * mirror images.
 *
 * @param names - of the modes; `...Left` and `...Right` are each other's mirror images
 * @param initial - `[Ke][468 * 3]`
 * @param tick - is told before each round how far it is; may throw to stop
 */
export async function learnExpressions(
  faces: readonly AlignedFace[],
  template: LearningTemplate,
  names: readonly string[],
  initial: readonly Float64Array[],
  tick: (done: number, total: number) => Promise<void>,
): Promise<LearnedExpressions> {
  const { controlMirror, controlArea } = template
  const twin = names.map((name) => {
    const other = name.replace(/Left|Right/, (side) => (side === 'Left' ? 'Right' : 'Left'))
    return names.indexOf(other)
  })
  const seen = names.flatMap((name, k) => (UNSEEN.test(name) || twin[k] < 0 ? [] : [k]))
  const weights = planarWeights(template, initial, names)
  const samples = restDifferences(faces, controlMirror)
  const length = CONTROL_COUNT * 2
  const flat = (field: ArrayLike<number>) => {
    const values = new Float64Array(length)
    for (let i = 0; i < CONTROL_COUNT; i++) {
      for (const c of [0, 1]) values[i * 2 + c] = field[i * 3 + c] * weights[i]
    }
    return values
  }
  const targets = new Matrix(samples.map((field) => Array.from(flat(field))))
  const prior = new Matrix(seen.map((k) => Array.from(flat(initial[k]))))
  let modes = prior.clone()
  const explained = { before: 0, after: 0 }
  const total = squares(targets)
  let activations = activate(targets, modes)
  explained.before = 1 - squares(Matrix.sub(targets, activations.mmul(modes))) / total
  for (let round = 0; round < ROUNDS; round++) {
    await tick(round, ROUNDS)
    const normal = activations.transpose().mmul(activations)
    const strength = Math.max((PRIOR_SHARE * normal.trace()) / seen.length, 1e-6)
    for (let k = 0; k < seen.length; k++) normal.set(k, k, normal.get(k, k) + strength)
    const right = activations.transpose().mmul(targets).add(Matrix.mul(prior, strength))
    modes = keepLocal(mirrorModes(solve(normal, right), seen, twin, controlMirror), prior, weights)
    activations = activate(targets, modes)
  }
  explained.after = 1 - squares(Matrix.sub(targets, activations.mmul(modes))) / total
  const fields = initial.map((field) => field.slice())
  seen.forEach((mode, k) => {
    for (let i = 0; i < CONTROL_COUNT; i++) {
      if (weights[i] < 1e-3 * Math.sqrt(controlArea[i])) continue
      for (const c of [0, 1]) fields[mode][i * 3 + c] = modes.get(k, i * 2 + c) / weights[i]
    }
  })
  return { fields, explained }
}

/** Root of each control vertex's area; none at the lids, which the network does not move. */
function planarWeights(
  { controlArea }: LearningTemplate,
  initial: readonly Float64Array[],
  names: readonly string[],
): Float64Array {
  const weights = controlArea.map((area) => Math.sqrt(area))
  names.forEach((name, k) => {
    if (!name.startsWith('eyeBlink')) return
    for (let i = 0; i < CONTROL_COUNT; i++) {
      if (Math.hypot(...initial[k].subarray(i * 3, i * 3 + 3)) > 1) weights[i] = 0
    }
  })
  return weights
}

/** Differences of each photograph from its person's face at rest, and their mirror images. */
function restDifferences(faces: readonly AlignedFace[], mirror: Int32Array): Float64Array[] {
  const people = new Map<number, AlignedFace[]>()
  for (const face of faces) people.set(face.person, [...(people.get(face.person) ?? []), face])
  const samples: Float64Array[] = []
  for (const group of people.values()) {
    const rest = new Float64Array(CONTROL_COUNT * 3)
    let total = 0
    for (const face of group) {
      const trust = identityTrust(face)
      total += trust
      for (let i = 0; i < rest.length; i++) rest[i] += trust * face.deviation[i]
    }
    for (const face of group) {
      // Strongly turned or tiny faces say little about lips.
      if (Math.abs(face.yaw) > 0.6 || face.resolution < 30) continue
      const field = face.deviation.map((value, i) => value - rest[i] / total)
      samples.push(field, mirrored(field, mirror))
    }
  }
  return samples
}

const squares = (matrix: Matrix) => {
  let sum = 0
  for (let i = 0; i < matrix.rows; i++) for (let j = 0; j < matrix.columns; j++) sum += matrix.get(i, j) ** 2
  return sum
}

/** Activations in 0..1 of each row: coordinate descent on the least-squares problem. */
function activate(targets: Matrix, modes: Matrix): Matrix {
  const gram = modes.mmul(modes.transpose()).to2DArray()
  const products = targets.mmul(modes.transpose())
  const count = gram.length
  const result = Matrix.zeros(targets.rows, count)
  const x = new Float64Array(count)
  for (let row = 0; row < targets.rows; row++) {
    x.fill(0)
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (let k = 0; k < count; k++) {
        const line = gram[k]
        let gradient = products.get(row, k) - SPARSITY
        for (let j = 0; j < count; j++) gradient -= line[j] * x[j]
        x[k] = Math.min(1, Math.max(0, x[k] + gradient / (line[k] + 1e-9)))
      }
    }
    for (let k = 0; k < count; k++) result.set(row, k, x[k])
  }
  return result
}

/** A mode changes where it moves something anyway: its name says where that is. */
function keepLocal(modes: Matrix, prior: Matrix, weights: Float64Array): Matrix {
  const result = prior.clone()
  for (let k = 0; k < modes.rows; k++) {
    for (let i = 0; i < weights.length; i++) {
      if (weights[i] === 0) continue
      const moved = Math.hypot(prior.get(k, i * 2), prior.get(k, i * 2 + 1)) / weights[i]
      const share = (moved * moved) / (moved * moved + LOCAL * LOCAL)
      for (const at of [i * 2, i * 2 + 1]) {
        result.set(k, at, prior.get(k, at) + share * (modes.get(k, at) - prior.get(k, at)))
      }
    }
  }
  return result
}

/** Each mode the mean of itself and its twin's mirror image, which takes off what noise makes of them. */
function mirrorModes(
  modes: Matrix,
  seen: readonly number[],
  twin: readonly number[],
  mirror: Int32Array,
): Matrix {
  return new Matrix(
    seen.map((mode, k) => {
      const other = seen.indexOf(twin[mode])
      return Array.from({ length: modes.columns }, (_, at) => {
        const [i, c] = [at >> 1, at & 1]
        const image = modes.get(other, mirror[i] * 2 + c)
        return (modes.get(k, at) + (c === 0 ? -image : image)) / 2
      })
    }),
  )
}
