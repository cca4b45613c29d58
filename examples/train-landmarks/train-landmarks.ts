import { type Hourglass, type LandmarkNetworkOptions, createHourglass } from '@facekit/annotate'
import {
  type LandmarkSample,
  augmentLandmarks,
  createLandmarkBatches,
  heatmapLoss,
} from '@facekit/annotate-training'
import { createRandom, restoreRandom, type RandomState } from '@facekit/core'
import type { FaceSynthesizer } from '@facekit/synthetic'
import { runTraining, type BatchSource, type TrainingProgress, type TrainingResult } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

export interface TrainLandmarksOptions {
  /** Photographs, and rendered faces; at least one of the two. */
  photographs?: LandmarkSample[] | BatchSource<Batch>
  synthesizer?: FaceSynthesizer
  /** Photographs of people that are not among the others, for the normalised mean error. */
  heldOut?: LandmarkSample[]
  /** Of the network: its shape, or one that is to be trained further. */
  network?: LandmarkNetworkOptions | Hourglass
  /** Keep all photographs on the GPU; for some ten thousand at most. Default false. */
  resident?: boolean
  /** Photographs in a batch, beside what the synthesizer makes. Default 16. */
  batch?: number
  iterations: number
  /** Ends earlier; the learning rate then falls with the time. */
  seconds?: number
  /** At the start; falls to nothing along a cosine. Default 1e-3. */
  learningRate?: number
  /** For checkpoints and logs. */
  folder?: string
  seed?: number
  onProgress?: (progress: TrainingProgress) => void
}

export type Batch = [images: tf.Tensor4D, points: tf.Tensor3D]

export async function trainLandmarks(
  options: TrainLandmarksOptions,
): Promise<{ hourglass: Hourglass; result: TrainingResult }> {
  const { iterations, seconds, learningRate = 1e-3, seed = 1, heldOut = [], network = {} } = options
  const hourglass = 'model' in network ? network : createHourglass({ seed, ...network })
  const { inputSize } = hourglass.options
  const rise = Math.min(100, Math.ceil(iterations / 10))
  const start = performance.now()
  const done = (iteration: number) =>
    Math.min(1, Math.max(iteration / iterations, (performance.now() - start) / 1000 / (seconds ?? Infinity)))
  const result = await runTraining<Batch>({
    model: hourglass.model,
    batches: joinedBatches(options, inputSize),
    loss: (_, images, points) => ({
      total: heatmapLoss(hourglass.apply(images, { training: true }), points, { distance: 0.3 }),
    }),
    iterations,
    seconds,
    learningRate: (iteration) =>
      learningRate * Math.min(1, (iteration + 1) / rise) * (0.5 + 0.5 * Math.cos(Math.PI * done(iteration))),
    optimizer: 'adamw',
    weightDecay: 1e-4,
    clipNorm: 10,
    folder: options.folder,
    resume: options.folder === undefined ? false : 'auto',
    evaluate: heldOut.length
      ? { every: 500, run: async () => ({ nme: await landmarkError(hourglass, heldOut) }) }
      : undefined,
    onProgress: options.onProgress,
  })
  return { hourglass, result }
}

/** Each batch has photographs and rendered faces. */
function joinedBatches(options: TrainLandmarksOptions, inputSize: number): BatchSource<Batch> {
  const { photographs = [], synthesizer, batch = 16, resident = false, seed = 1 } = options
  const photos = Array.isArray(photographs)
    ? photographs.length > 0
      ? createLandmarkBatches(photographs, { batch, seed, inputSize, resident })
      : undefined
    : photographs
  if (!photos && !synthesizer) throw new Error('train-landmarks: give it photographs, a synthesizer, or both')
  let random = createRandom(seed + 1)
  return {
    async next() {
      const parts: Batch[] = []
      if (photos) parts.push(await photos.next())
      if (synthesizer) {
        const rendered = synthesizer.next()
        const { images, points } = augmentLandmarks(rendered.image, rendered.landmarks, random, { inputSize })
        tf.dispose(rendered as unknown as tf.TensorContainerObject)
        parts.push([images, points])
      }
      if (parts.length === 1) return parts[0]
      const joined: Batch = [
        tf.concat(parts.map(([images]) => images)),
        tf.concat(parts.map(([, points]) => points)),
      ]
      tf.dispose(parts)
      return joined
    },
    state: () => ({ photos: photos?.state(), rendered: synthesizer?.state(), random: random.state() }),
    dispose: () => photos?.dispose?.(),
    restore(state) {
      const { photos: a, rendered, random: b } = state as Record<string, unknown>
      photos?.restore(a)
      synthesizer?.restore(rendered)
      random = restoreRandom(b as RandomState)
    },
  }
}

/** Normalised mean error of one forward pass each over faces that are level and in the middle: mean distance over the square root of the area of the
 * landmarks' box. */
export async function landmarkError(
  hourglass: Hourglass,
  samples: LandmarkSample[],
  batch = 16,
): Promise<number> {
  const { inputSize } = hourglass.options
  const still = {
    inputSize,
    scale: [1.45, 1.45] as [number, number],
    shift: 0,
    rotation: 0,
    flip: 0,
    color: 0,
  }
  let sum = 0
  for (let first = 0; first < samples.length; first += batch) {
    const part = samples.slice(first, first + batch)
    const [images, points] = await createLandmarkBatches(part, {
      ...still,
      occlusion: 0,
      order: 'given',
      batch: part.length,
    }).next()
    const errors = tf.tidy(() => {
      const distance = tf.norm(tf.sub(hourglass.predict(images).points, points), 'euclidean', 2)
      const size = tf.sqrt(tf.prod(tf.sub(tf.max(points, 1), tf.min(points, 1)), 1))
      return tf.sum(tf.div(tf.mean(distance, 1), size))
    })
    sum += (await errors.data())[0]
    tf.dispose([images, points, errors])
  }
  return sum / samples.length
}

/** Every fifth person (folder) is held out. */
export function splitByIdentity(samples: LandmarkSample[]): {
  train: LandmarkSample[]
  heldOut: LandmarkSample[]
} {
  const people = [...new Set(samples.map(({ identity }) => identity))].sort()
  const away = new Set(people.filter((_, i) => i % 5 === 4))
  const part = (held: boolean) => samples.filter(({ identity }) => away.has(identity) === held)
  return { train: part(false), heldOut: part(true) }
}
