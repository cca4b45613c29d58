import { createDenseNetwork, loadDenseWeights, type DenseNetwork } from '@facekit/annotate'
import { createDenseBatches, denseLandmarkLoss, type DenseBatch } from '@facekit/annotate-training'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceSynthesizer } from '@facekit/synthetic'
import { runTraining, type TrainingProgress, type TrainingResult } from '@facekit/trainer'
import { denseErrors } from './dense-errors.js'
import { drawDensePanel } from './dense-panel.js'
import { weightAverage } from './weight-average.js'

/** Eyes and lips among the landmarks of iBUG, which come first. */
const FIRST_EYE = 36
const IBUG = 68
const LIDS_AND_LIPS = 2.5

export interface TrainDenseLandmarksOptions {
  model: MorphableModel
  synthesizer: FaceSynthesizer
  /** Of pictures that the training never sees. */
  heldOut: DenseBatch[]
  inputSize?: number
  width?: number
  /** A file of `saveDenseNetwork` to begin with, of a network of the same `width`. Default: random weights. */
  from?: Uint8Array
  /** How often each rendered picture is cut out. Default 2. */
  uses?: number
  iterations: number
  /** This call ends after so long, with a checkpoint; the same call goes on from there. */
  seconds?: number
  /** The training ends after so long in all calls together, if not before: the learning rate then falls with the time. Default: no limit. */
  totalSeconds?: number
  /** At its height, after a rise; falls to nothing along a cosine. Default 2e-3. */
  learningRate?: number
  /** Share of the iterations in which places learn by their distances. Default 0.15. */
  start?: number
  folder?: string
  checkpointEvery?: number
  evaluateEvery?: number
  panelEvery?: number
  seed?: number
  /** Ends after the iteration, with a checkpoint. */
  signal?: AbortSignal
  onProgress?: (progress: TrainingProgress) => void
}

/** Trains a network on rendered faces; goes on from the newest checkpoint of `folder`, if there is one.
 *
 * @returns the network with the averages of its weights over the last iterations
 */
export async function trainDenseLandmarks(
  options: TrainDenseLandmarksOptions,
): Promise<{ network: DenseNetwork; result: TrainingResult }> {
  const { model, synthesizer, iterations, learningRate = 2e-3, uses = 2, start = 0.15, seed = 1 } = options
  const { inputSize = 192, width = 1, heldOut } = options
  const points = model.denseLandmarks?.length ?? 0
  const network = createDenseNetwork({ points, identity: model.layout.identity, inputSize, width, seed })
  if (options.from) loadDenseWeights(network, options.from, heldOut[0][0])
  const average = weightAverage(network.variables, { every: 25, decay: 0.97 })
  const batches = createDenseBatches(synthesizer, { inputSize, uses, seed })
  const pointWeights = lidsAndLips(model)
  const rise = Math.min(500, Math.ceil(iterations / 20))
  const clock = trainingClock(options.totalSeconds)
  const done = (iteration: number) => Math.min(1, Math.max(iteration / iterations, clock.share()))
  const kind = (iteration: number) => (done(iteration) < start ? 'distances' : 'likelihood')
  const ended = new AbortController()
  options.signal?.addEventListener('abort', () => ended.abort())
  const result = await runTraining<DenseBatch>({
    model: { variables: { ...network.variables, ...average.variables } },
    batches: {
      ...batches,
      async next() {
        average.follow()
        if (clock.share() >= 1) ended.abort()
        return batches.next()
      },
      state: () => ({ batches: batches.state(), average: average.state(), seconds: clock.seconds() }),
      restore(state) {
        const stored = state as { batches: unknown; average: number; seconds: number }
        batches.restore(stored.batches)
        average.restore(stored.average)
        clock.restore(stored.seconds)
      },
    },
    loss: (iteration, images, positions, depths, visibility, identity) =>
      denseLandmarkLoss(
        network.apply(images, { training: true }),
        { positions, depths, visibility, identity },
        { kind: kind(iteration), pointWeights, weights: { depths: 0.5, openings: 1, identity: 0.1 } },
      ),
    phase: kind,
    iterations,
    seconds: options.seconds,
    signal: ended.signal,
    learningRate: (iteration) =>
      learningRate * Math.min(1, (iteration + 1) / rise) * (0.5 + 0.5 * Math.cos(Math.PI * done(iteration))),
    optimizer: 'adamw',
    weightDecay: 1e-3,
    clipNorm: 10,
    // A likelihood passes through zero: its ratio to the least one says nothing.
    explosion: 1e6,
    folder: options.folder,
    checkpointEvery: options.checkpointEvery,
    resume: options.folder === undefined ? false : 'auto',
    evaluate: {
      every: options.evaluateEvery ?? 1000,
      run: () => denseErrors(network, heldOut),
    },
    ...(options.folder !== undefined && {
      panel: {
        every: options.panelEvery ?? 5000,
        draw: () => drawDensePanel(heldOut[0], network),
      },
    }),
    onProgress: options.onProgress,
  })
  batches.dispose()
  average.apply()
  average.dispose()
  return { network, result }
}

/** What moves most in a face counts more: weights for `denseLandmarks`. */
function lidsAndLips({ denseLandmarks = new Int32Array(), regions = {} }: MorphableModel): Float32Array {
  const moving = new Set(['lids', 'lips', 'iris', 'sclera'].flatMap((name) => [...(regions[name] ?? [])]))
  return Float32Array.from(denseLandmarks, (vertex, k) =>
    (k >= FIRST_EYE && k < IBUG) || moving.has(vertex) ? LIDS_AND_LIPS : 1,
  )
}

/** How long a training has taken, those before a resumption included. */
function trainingClock(total = Infinity) {
  let before = 0
  let start = performance.now()
  const seconds = () => before + (performance.now() - start) / 1000
  return {
    seconds,
    share: () => seconds() / total,
    restore(value: number): void {
      before = value
      start = performance.now()
    },
  }
}
