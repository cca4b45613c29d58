// Where labelled pictures come from: [B, S, S, 3] encoded in 0..1, and [B, S, S] labels of the 19 classes of CelebAMask-HQ.
import * as tf from '@tensorflow/tfjs-core'
import { type CelebaMaskFolder, augmentSegmentation } from '@facekit/annotate-training'
import { createRandom, restoreRandom, type RandomState } from '@facekit/core'
import type { MorphableModel } from '@facekit/morphable'
import { createFaceSynthesizer } from '@facekit/synthetic'
import type { BatchSource } from '@facekit/trainer'

export type LabelledBatch = [images: tf.Tensor4D, labels: tf.Tensor3D]

export interface BatchOptions {
  size: number
  batch: number
  seed: number
  /** Move, mirror and recolour the pictures. */
  augment: boolean
}

interface SourceState {
  random: RandomState
  turn: number
  synthesizers?: unknown[]
}

/** Rendered faces, the models in turn. */
export function renderedBatches(
  models: readonly MorphableModel[],
  options: BatchOptions,
): BatchSource<LabelledBatch> {
  const { size, batch, seed, augment } = options
  // Faces as annotate aligns them, and somewhat worse.
  const synthesizers = models.map((model, i) =>
    createFaceSynthesizer(model, {
      size,
      batch,
      seed: seed * 16 + i,
      pose: { roll: 12 },
      framing: { scale: [0.88, 1.12], shift: 0.02 },
      camera: { noise: 0.6 },
    }),
  )
  let random = createRandom(seed)
  let turn = 0
  return {
    async next() {
      const { image, labels, ...rest } = synthesizers[turn++ % synthesizers.length].next()
      tf.dispose(rest as unknown as tf.TensorContainer)
      return augment ? changed([image, labels], random) : [image, labels]
    },
    state: (): SourceState => ({
      random: random.state(),
      turn,
      synthesizers: synthesizers.map((s) => s.state()),
    }),
    restore(state) {
      const stored = state as SourceState
      random = restoreRandom(stored.random)
      turn = stored.turn
      stored.synthesizers?.forEach((place, i) => synthesizers[i].restore(place))
    },
    dispose: () => synthesizers.forEach((synthesizer) => synthesizer.dispose()),
  }
}

/** A labelled picture on the CPU. */
export interface LabelledPicture {
  /** `[n * n * 3]` bytes. */
  image: Uint8Array
  /** `[n * n]` labels, 255 where nothing is known. */
  labels: Uint8Array
}

/** Pictures by number, in random order; enlarged to `size` when they are smaller. */
export function pictureBatches(
  indices: readonly number[],
  read: (index: number) => LabelledPicture | Promise<LabelledPicture>,
  options: BatchOptions,
): BatchSource<LabelledBatch> {
  const { size, batch, seed, augment } = options
  let random = createRandom(seed)
  let turn = 0
  return {
    async next() {
      turn++
      const chosen = Array.from({ length: batch }, () => indices[random.integer(indices.length)])
      const pictures = await Promise.all(chosen.map(async (index) => read(index)))
      const plain = tf.tidy(() => upload(pictures, size))
      return augment ? changed(plain, random) : plain
    },
    state: (): SourceState => ({ random: random.state(), turn }),
    restore(state) {
      const stored = state as SourceState
      random = restoreRandom(stored.random)
      turn = stored.turn
    },
  }
}

/** CelebAMask-HQ on disk. */
export const celebaMaskBatches = (
  folder: CelebaMaskFolder,
  indices: readonly number[],
  options: BatchOptions,
) => pictureBatches(indices, (index) => folder.read(index, options.size), options)

/** Batches of both, one after the other within a batch. */
export function joinedBatches(
  a: BatchSource<LabelledBatch>,
  b: BatchSource<LabelledBatch>,
): BatchSource<LabelledBatch> {
  return {
    async next() {
      const [first, second] = [await a.next(), await b.next()]
      const joined: LabelledBatch = [tf.concat([first[0], second[0]]), tf.concat([first[1], second[1]])]
      tf.dispose([first, second])
      return joined
    },
    state: () => [a.state(), b.state()],
    restore(state) {
      const [first, second] = state as [unknown, unknown]
      a.restore(first)
      b.restore(second)
    },
    dispose() {
      a.dispose?.()
      b.dispose?.()
    },
  }
}

function changed([images, labels]: LabelledBatch, random: ReturnType<typeof createRandom>): LabelledBatch {
  const result = augmentSegmentation(images, labels, random)
  tf.dispose([images, labels])
  return [result.images, result.labels]
}

function upload(pictures: readonly LabelledPicture[], size: number): LabelledBatch {
  const n = Math.sqrt(pictures[0].labels.length)
  const pixels = new Float32Array(pictures.length * n * n * 3)
  const truth = new Int32Array(pictures.length * n * n)
  pictures.forEach(({ image, labels }, i) => {
    for (let k = 0; k < image.length; k++) pixels[i * n * n * 3 + k] = image[k] / 255
    truth.set(labels, i * n * n)
  })
  const images = tf.tensor4d(pixels, [pictures.length, n, n, 3])
  if (n === size) return [images, tf.tensor3d(truth, [pictures.length, n, n], 'int32')]
  const planes = tf.tensor4d(Float32Array.from(truth), [pictures.length, n, n, 1])
  const nearest = tf.image.resizeNearestNeighbor(planes, [size, size], false, true)
  return [
    tf.image.resizeBilinear(images, [size, size], false, true),
    tf.cast(tf.squeeze(nearest, [3]), 'int32') as tf.Tensor3D,
  ]
}
