import type { Embedder, FaceNet } from '@facekit/annotate'
import {
  type PersonPictures,
  type VerificationScores,
  createTripletBatches,
  evaluateVerification,
  tripletLoss,
} from '@facekit/annotate-training'
import { createRandom } from '@facekit/core'
import {
  cosineSchedule,
  runTraining,
  warmup,
  type TrainingOptions,
  type TrainingResult,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

export interface EmbeddingTraining {
  net: FaceNet
  /** Learned from. */
  people: readonly PersonPictures[]
  /** Measured by; none of them is in `people`. */
  heldOut: readonly PersonPictures[]
  /** Width and height of the crops. */
  size: number
  iterations: number
  seconds?: number
  learningRate?: number
  /** People in a batch, and pictures of each. */
  batchPeople?: number
  batchPictures?: number
  margin?: number
  seed?: number
  folder?: string
  resume?: TrainingOptions['resume']
  evaluateEvery?: number
  onProgress?: TrainingOptions['onProgress']
}

/** Trains by triplets with semi-hard strangers; AdamW, a learning rate along half a cosine. */
export function trainEmbedding(options: EmbeddingTraining): Promise<TrainingResult> {
  const { net, people, heldOut, size, iterations, learningRate = 1e-3, margin = 0.2, seed = 1 } = options
  return runTraining<[tf.Tensor4D, tf.Tensor1D]>({
    model: net.model,
    batches: createTripletBatches(people, {
      size,
      inputSize: net.options.inputSize,
      people: options.batchPeople ?? 24,
      pictures: options.batchPictures ?? 4,
      seed,
    }),
    iterations,
    seconds: options.seconds,
    learningRate: warmup(
      cosineSchedule(learningRate, iterations, learningRate / 100),
      Math.min(100, Math.ceil(iterations / 10)),
    ),
    optimizer: 'adamw',
    weightDecay: 0.02,
    clipNorm: 5,
    loss: (_, images, who) => ({
      total: tripletLoss(net.apply(images, { training: true }), who, { margin }),
    }),
    folder: options.folder,
    resume: options.resume,
    evaluate: {
      every: options.evaluateEvery ?? 500,
      run: async () => ({ ...(await verify(net.embed, heldOut, size)) }),
    },
    onProgress: options.onProgress,
  })
}

/** Verification scores of any embedder on people. Pictures of one group (frames of a clip) are no pairs. */
export async function verify(
  embed: Embedder['embed'],
  people: readonly PersonPictures[],
  size: number,
): Promise<VerificationScores> {
  const pictures = people.flatMap((person, who) =>
    person.pictures.map((read, i) => ({ read, who, group: who * 1000 + (person.groups?.[i] ?? i) })),
  )
  const embeddings: Float32Array[] = []
  for (let start = 0; start < pictures.length; start += 64) {
    const some = await Promise.all(pictures.slice(start, start + 64).map(({ read }) => read()))
    const pixels = new Float32Array(some.length * size * size * 3)
    for (const [i, picture] of some.entries()) pixels.set(picture, i * size * size * 3)
    const result = tf.tidy(() => embed(tf.div(tf.tensor4d(pixels, [some.length, size, size, 3]), 255)))
    embeddings.push((await result.data()) as Float32Array)
    result.dispose()
  }
  const length = embeddings[0].length / Math.min(64, pictures.length)
  const all = new Float32Array(pictures.length * length)
  let at = 0
  for (const part of embeddings) {
    all.set(part, at)
    at += part.length
  }
  return evaluateVerification(
    all,
    pictures.map(({ who }) => who),
    { groups: pictures.map(({ group }) => group) },
  )
}

/** Splits people, never pictures of one person: every fifth is held out. */
export function splitPeople(people: readonly PersonPictures[], seed = 1) {
  const shuffled = createRandom(seed).shuffle(people)
  return {
    train: shuffled.filter((_, i) => i % 5 !== 0),
    heldOut: shuffled.filter((_, i) => i % 5 === 0),
  }
}
