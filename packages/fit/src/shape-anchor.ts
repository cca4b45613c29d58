import type { MorphableModel } from '@facekit/morphable'
import { choleskyFactor, solveLower, solveUpper } from './landmarks/cholesky.js'
import type { FaceUnknowns } from './face-unknowns.js'
import { identityPrecision, type JointPosterior } from './landmarks/joint-posterior.js'

/** Holds pose and shape to what landmarks say of them while light and colour are found.
 *
 * The loss gains `weight` times half the squared Mahalanobis distance from the landmarks' optimum. Steps are taken in independent units of that
 * posterior: a direction that landmarks leave open moves as easily as any other, one that they fix does not drift.
 */
export interface ShapeAnchor {
  /** Whether the shape moves at all. */
  readonly frozen: boolean
  /** Adds the anchor's loss and gradient, in place, and turns the gradient into independent units. */
  enter(values: Float64Array, gradient: Float64Array): number
  /** Takes the optimiser's step, of independent units, back to the unknowns, and keeps expressions within their range. */
  leave(before: Float64Array, values: Float64Array): void
  /** Rates of the optimiser. */
  rates(rates: Float64Array): Float64Array
}

/** How far one step moves the shape, in standard deviations of the posterior. */
const RATE = 0.05

/** How much more it counts where landmarks are seen than what identity they say: a network of landmarks is right about places in the picture, and draws
 * identities nearer to the mean than they are. Pose and expression so follow an identity that moves, and the points stay where they were seen. */
const PLACES = 30

/** Weight of identity where light and colours explain the face as well as `CLEAN` says, or better; the loss is a mean over photographs, the posterior their sum. */
const WEIGHT = 3e-4

/** Photometric loss (Eq. 8 and 9 of the MM '22 paper, both summands) of a clean picture of a face whose shape has not moved yet. */
const CLEAN = 0.1

/** What a picture shows that no light and no colour of the model explains (shadows, hair, make-up, noise) would be taken for shape. Chosen on rendered heads, of whose
 * differences 4 recovers two per cent more, and on frames of real people, whose shapes agree less with one another by 4 (`benchmarks/shape-agreement.ts`). */
const POWER = 7

/** How much identity of the landmarks counts in a loss of `photographs`, by how well the face explains them while its shape is held.
 *
 * @param photometric - the photometric loss then, mean over the photographs
 */
export const shapeWeight = (photometric: number, photographs: number): number =>
  (WEIGHT * Math.max(1, photometric / CLEAN) ** POWER) / photographs

/** An anchor at the present values.
 *
 * The posterior's quadratic is the sum of that of identity, whatever pose and expression are, and that of pose and expression for a given identity; the
 * latter counts `PLACES` times.
 *
 * @param weight - of identity's part in the loss; `Infinity`: the shape does not move
 */
export function shapeAnchor(
  unknowns: FaceUnknowns,
  values: Float64Array,
  posterior: JointPosterior,
  model: MorphableModel,
  photographs: number,
  weight: number,
): ShapeAnchor {
  const places = shapePlaces(unknowns, photographs)
  const centre = Float64Array.from(places, (i) => values[i])
  const { size } = posterior
  const frozen = weight === Infinity
  const precision = frozen ? posterior.precision : placesFirst(posterior, model.layout.identity)
  const factor = choleskyFactor(precision, size)!
  const [low, high] = model.shape.expressionRange ?? [-Infinity, Infinity]
  return {
    frozen,
    enter(current, gradient) {
      if (frozen) {
        for (const i of places) gradient[i] = 0
        return 0
      }
      const away = Float64Array.from(places, (i, k) => current[i] - centre[k])
      const own = Float64Array.from(places, (i) => gradient[i])
      let loss = 0
      for (let i = 0; i < size; i++) {
        let sum = 0
        for (let j = 0; j < size; j++) sum += precision[i * size + j] * away[j]
        loss += (weight / 2) * away[i] * sum
        own[i] += weight * sum
      }
      // u = L' (x - x0): the gradient with respect to u is L^-1 g.
      solveLower(factor, size, own)
      places.forEach((i, k) => (gradient[i] = own[k]))
      return loss
    },
    leave(before, current) {
      if (frozen) return
      const step = solveUpper(
        factor,
        size,
        Float64Array.from(places, (i) => current[i] - before[i]),
      )
      places.forEach((i, k) => (current[i] = before[i] + step[k]))
      for (let b = 0; b < photographs; b++) {
        const [start, end] = unknowns.range('expression', b)
        for (let i = start; i < end; i++) current[i] = Math.min(high, Math.max(low, current[i]))
      }
    },
    rates(rates) {
      const own = Float64Array.from(rates)
      for (const i of places) own[i] = RATE
      return own
    },
  }
}

/** `[size * size]` the posterior's precision, in which pose and expression for a given identity count `PLACES` times. */
function placesFirst({ precision, size }: JointPosterior, identity: number): Float64Array {
  const marginal = identityPrecision(precision, size, identity, 0)
  const sum = precision.map((value) => PLACES * value)
  for (let i = 0; i < identity; i++)
    for (let j = 0; j < identity; j++) sum[i * size + j] -= (PLACES - 1) * marginal[i * identity + j]
  return sum
}

/** Where the posterior's unknowns are in the vector of all. */
function shapePlaces(unknowns: FaceUnknowns, photographs: number): Int32Array {
  const places: number[] = []
  const take = ([start, end]: [number, number]) => {
    for (let i = start; i < end; i++) places.push(i)
  }
  take(unknowns.range('identity'))
  for (let b = 0; b < photographs; b++)
    for (const name of ['rotation', 'translation', 'scale', 'expression'] as const)
      take(unknowns.range(name, b))
  return Int32Array.from(places)
}
