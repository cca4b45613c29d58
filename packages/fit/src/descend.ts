import { FacekitError, type FaceParameters } from '@facekit/core'
import { hybridLoss, type LossContext, type LossTerm } from '@facekit/losses'
import type { FaceRendering } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { Adam } from './adam.js'
import type { FaceUnknowns } from './face-unknowns.js'
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
  render: (parameters: FaceParameters) => FaceRendering
  terms: readonly LossTerm[]
  iterations: number
  embed?: (images: tf.Tensor4D) => tf.Tensor2D
  signal?: AbortSignal
  onStep?: (step: FitStep) => void
}

/** Lets timers, signals and progress bars have their turn. */
const breathe = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** Gradient descent on the hybrid loss through the renderer; the step size falls to a tenth along a cosine. */
export async function descend(descent: Descent): Promise<FitStep[]> {
  const { unknowns, values, iterations, signal } = descent
  const adam = new Adam(unknowns.size)
  const history: FitStep[] = []
  for (let iteration = 0; iteration < iterations; iteration++) {
    signal?.throwIfAborted()
    const { step, gradient } = await evaluate(descent, iteration)
    if (!Number.isFinite(step.total) || !gradient.every(Number.isFinite)) {
      const culprit =
        Object.entries(step.terms).find(([, value]) => !Number.isFinite(value))?.[0] ?? 'a gradient'
      throw new FacekitError(
        `fitFace: step ${iteration}: ${culprit} is not finite; are all pictures and labels finite?`,
      )
    }
    const factor = 0.1 + 0.45 * (1 + Math.cos((Math.PI * iteration) / iterations))
    adam.update(values, gradient, unknowns.rates, factor)
    history.push(step)
    descent.onStep?.(step)
    await breathe()
  }
  return history
}

async function evaluate(
  descent: Descent,
  iteration: number,
): Promise<{ step: FitStep; gradient: Float32Array }> {
  const { unknowns, values, crops, embed } = descent
  const vector = tf.tensor1d(Float32Array.from(values))
  const terms: Record<string, tf.Scalar> = {}
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => {
    const parameters = unknowns.decode(x as tf.Tensor1D)
    const rendering = descent.render(parameters)
    const { size: _, ...labels } = crops
    const context: LossContext = { ...labels, rendering, parameters, ...(embed ? { embed } : {}) }
    const loss = hybridLoss(descent.terms, context, iteration)
    for (const [name, term] of Object.entries(loss.terms)) terms[name] = tf.keep(term)
    return loss.total
  })(vector)
  const names = Object.keys(terms)
  const [total, gradient, ...numbers] = await Promise.all(
    [value, grad, ...names.map((name) => terms[name])].map((t) => t.data()),
  )
  tf.dispose([vector, value, grad, terms])
  return {
    step: {
      stage: 'appearance',
      iteration,
      total: total[0],
      terms: Object.fromEntries(names.map((name, i) => [name, numbers[i][0]])),
    },
    gradient: gradient as Float32Array,
  }
}
