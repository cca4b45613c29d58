import { FacekitError } from '@facekit/core'
import { type RecordedStep, recordStep } from '@facekit/kernels'
import type { FaceParameters } from '@facekit/parameters'
import { hybridLoss, type LossContext, type LossTerm } from '@facekit/losses'
import type { FaceGeometry, FaceRendering } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { Adam } from './adam.js'
import type { FaceUnknowns } from './face-unknowns.js'
import { QuasiNewton } from './quasi-newton.js'
import type { ShapeAnchor } from './shape-anchor.js'
import type { CropTensors } from './stack-crops.js'

/** Losses after one step. */
export interface FitStep {
  stage: 'appearance'
  iteration: number
  total: number
  /** Each term before its weight. */
  terms: Record<string, number>
}

/** What `descend` works on. */
export interface Descent {
  unknowns: FaceUnknowns
  /** Start; is moved in place. */
  values: Float64Array
  crops: CropTensors
  render: (parameters: FaceParameters, geometry?: FaceGeometry) => FaceRendering
  /** What the face looks like while its shape stays where it is. */
  geometry?: FaceGeometry
  terms: readonly LossTerm[]
  iterations: number
  /** Steps that were taken before, for the numbers of these. Default 0. */
  done?: number
  /** Factor of all rates. */
  rate?: number
  /** Holds the shape to what is known of it. */
  anchor?: ShapeAnchor
  embed?: (images: tf.Tensor4D) => tf.Tensor2D
  signal?: AbortSignal
  onStep?: (step: FitStep) => void
}

/** Lets timers, signals and progress bars run. */
const yieldToEventLoop = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** Descends the hybrid loss through the renderer: while the shape stays, and the loss is the same at each step, by L-BFGS; else by Adam, whose
 * step size falls to a tenth along a cosine.
 *
 * @returns what was found on the way; the values are the last of them, of L-BFGS the best
 */
export async function descend(descent: Descent): Promise<FitStep[]> {
  const { unknowns, values, iterations, signal } = descent
  const { anchor, rate = 1, done = 0 } = descent
  const rates = anchor?.rates(unknowns.rates) ?? unknowns.rates
  const isFixed = descent.terms.every(({ weight }) => typeof weight === 'number')
  const newton = anchor?.frozen && isFixed ? new QuasiNewton(rates, rate) : undefined
  const adam = new Adam(unknowns.size)
  const evaluations = new Map<string, Evaluation>()
  const history: FitStep[] = []
  try {
    for (let iteration = 0; iteration < iterations; iteration++) {
      signal?.throwIfAborted()
      const { step, gradient } = await evaluate(evaluations, descent, done + iteration)
      const isFinite = Number.isFinite(step.total) && gradient.every(Number.isFinite)
      if (!isFinite && (history.length === 0 || !newton)) {
        const culprit =
          Object.entries(step.terms).find(([, value]) => !Number.isFinite(value))?.[0] ?? 'a gradient'
        throw new FacekitError(
          `fitFace: step ${done + iteration}: ${culprit} is not finite; are all pictures and labels finite?`,
        )
      }
      const direction = Float64Array.from(gradient)
      if (anchor) {
        step.terms.anchor = anchor.enter(values, direction)
        step.total += step.terms.anchor
      }
      if (newton) {
        const total = isFinite ? step.total : Infinity
        if (newton.update(values, { total, gradient: direction })) history.push(step)
      } else {
        const before = Float64Array.from(values)
        const factor = rate * (0.1 + 0.45 * (1 + Math.cos((Math.PI * iteration) / iterations)))
        adam.update(values, direction, rates, factor)
        anchor?.leave(before, values)
        history.push(step)
      }
      descent.onStep?.(step)
      await yieldToEventLoop()
      if (newton?.settled) break
    }
    newton?.finish(values)
  } finally {
    for (const { step } of evaluations.values()) step.dispose()
  }
  return history
}

/** Losses and gradient of packed unknowns, recorded where the backend can. */
interface Evaluation {
  /** Total, terms and gradient in one vector: reading one tensor takes as long as a whole step, on a GPU. */
  step: RecordedStep<[tf.Tensor1D], tf.Tensor1D>
  /** Names of the terms. */
  names: string[]
}

/** Recordings that are kept: weights that change at every step would make one a step. */
const MOST_EVALUATIONS = 4

async function evaluate(
  evaluations: Map<string, Evaluation>,
  descent: Descent,
  iteration: number,
): Promise<{ step: FitStep; gradient: Float32Array }> {
  const vector = tf.tensor1d(Float32Array.from(descent.values))
  // A recording repeats what it did when it was made: there is one for each set of weights.
  const weights = descent.terms.map(({ weight }) =>
    typeof weight === 'function' ? weight(iteration) : weight,
  )
  const key = weights.join()
  let evaluation = evaluations.get(key)
  if (evaluation === undefined) {
    const names: string[] = []
    const compute = (x: tf.Tensor1D) => lossesAndGradient(descent, x, iteration, names)
    if (evaluations.size < MOST_EVALUATIONS) {
      evaluation = { step: recordStep(compute), names }
      evaluations.set(key, evaluation)
    } else {
      const once = (x: tf.Tensor1D) => tf.tidy(() => compute(x))
      evaluation = { step: once as Evaluation['step'], names }
    }
  }
  const result = evaluation.step(vector)
  const numbers = (await result.data()) as Float32Array
  tf.dispose([vector, result])
  const { names } = evaluation
  return {
    step: {
      stage: 'appearance',
      iteration,
      total: numbers[0],
      terms: Object.fromEntries(names.map((name, i) => [name, numbers[1 + i]])),
    },
    gradient: numbers.subarray(1 + names.length),
  }
}

/** Total, terms and gradient, and the names of the terms. */
function lossesAndGradient(
  descent: Descent,
  vector: tf.Tensor1D,
  iteration: number,
  names: string[],
): tf.Tensor1D {
  const { unknowns, crops, embed } = descent
  let terms: tf.Scalar[] = []
  // A shape that does not move carries no gradient: the way back ends at the colours.
  const still = descent.anchor?.frozen ? descent.values : undefined
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => {
    const parameters = unknowns.decode(x, still)
    const rendering = descent.render(parameters, still && descent.geometry)
    const { size: _, ...labels } = crops
    const context: LossContext = { ...labels, rendering, parameters, ...(embed ? { embed } : {}) }
    const loss = hybridLoss(descent.terms, context, iteration)
    names.splice(0, names.length, ...Object.keys(loss.terms))
    terms = Object.values(loss.terms).map((term) => tf.keep(term))
    return loss.total
  })(vector)
  const numbers = [value, ...terms, grad].map((part) => tf.reshape<tf.Rank.R1>(part, [part.size]))
  const packed = tf.concat(numbers)
  tf.dispose(terms)
  return packed
}
