import { assertInteger, createRandom, restoreRandom, ValueError, type RandomState } from '@facekit/core'
import { recordStep } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import { cutDenseCrops, drawDenseCrops, type DenseCropOptions } from './dense-crops.js'

/** What of a synthesizer is used; that of @facekit/synthetic has it. */
export interface DenseRenderings {
  next(): {
    image: tf.Tensor4D
    landmarks: tf.Tensor3D
    denseLandmarks?: tf.Tensor3D
    denseVisibility?: tf.Tensor2D
    parameters: { identity: tf.Tensor2D }
  }
  state(): unknown
  restore(state: unknown): void
}

/** Pictures `[B, S, S, 3]`, and the parts of `DenseTargets`: positions `[B, N + 17, 2]`, depths `[B, N]`, visibility `[B, N]`, identity `[B, K]`. */
export type DenseBatch = [
  images: tf.Tensor4D,
  positions: tf.Tensor3D,
  depths: tf.Tensor2D,
  visibility: tf.Tensor2D,
  identity: tf.Tensor2D,
]

/** Options of `createDenseBatches`. */
export interface DenseBatchesOptions extends DenseCropOptions {
  /** S. Default 192. */
  inputSize?: number
  /** How often each rendered picture is cut out, each time in another way: rendering costs as much as learning. Default 1. */
  uses?: number
  seed?: number
}

/** A source of batches, as `runTraining` takes it. */
export interface DenseBatches {
  next(): Promise<DenseBatch>
  state(): unknown
  restore(state: unknown): void
  dispose(): void
}

const JAW = 17

/** Batches of rendered faces for a dense landmark network: cut out as a detector's box and as a first pass place them.
 *
 * A batch after `restore` is to the bit what it would have been.
 *
 * @param synthesizer - of a model with `denseLandmarks`; the caller still owns it
 * @memory keeps one rendered batch, until `dispose`
 * @throws {ValueError} when an option is out of range, or the pictures come without dense landmarks
 * @example
 * const batches = createDenseBatches(createFaceSynthesizer(model, { batch: 64 }), { uses: 2 })
 */
export function createDenseBatches(
  synthesizer: DenseRenderings,
  options: DenseBatchesOptions = {},
): DenseBatches {
  const { inputSize = 192, uses = 1, seed = 1 } = options
  assertInteger('createDenseBatches: uses', uses, 1)
  let random = createRandom(seed)
  let source = synthesizer.state()
  let used = 0
  let rendered: Rendered | undefined
  const cut = recordStep(
    (images: tf.Tensor4D, points: tf.Tensor3D, outline: tf.Tensor3D, draws: tf.Tensor2D) =>
      cutDenseCrops(images, points, outline, draws, inputSize),
  )
  const forget = () => {
    tf.dispose(rendered)
    rendered = undefined
  }
  return {
    async next() {
      if (used === uses) {
        forget()
        used = 0
        source = synthesizer.state()
      }
      rendered ??= render(synthesizer)
      const [pictures, points, outline, visibility, identity] = rendered
      const draws = drawDenseCrops(pictures.shape[0], random, options)
      const { images, positions, depths } = cut(pictures, points, outline, draws)
      draws.dispose()
      used++
      return [images, positions, depths, tf.clone(visibility), tf.clone(identity)]
    },
    state: () => ({
      ...(used === uses ? { source: synthesizer.state(), used: 0 } : { source, used }),
      random: random.state(),
    }),
    restore(state) {
      const stored = state as { source?: unknown; used?: number; random?: RandomState } | undefined
      if (!Number.isInteger(stored?.used) || !stored?.random)
        throw new ValueError(`createDenseBatches: ${JSON.stringify(state)} is no state of these batches`)
      forget()
      random = restoreRandom(stored.random)
      used = stored.used!
      source = stored.source
      synthesizer.restore(source)
    },
    dispose() {
      forget()
      cut.dispose()
    },
  }
}

type Rendered = [
  pictures: tf.Tensor4D,
  points: tf.Tensor3D,
  outline: tf.Tensor3D,
  visibility: tf.Tensor2D,
  identity: tf.Tensor2D,
]

function render(synthesizer: DenseRenderings): Rendered {
  const batch = synthesizer.next()
  const { image, landmarks, denseLandmarks, denseVisibility } = batch
  if (!denseLandmarks || !denseVisibility) {
    tf.dispose(batch as unknown as tf.TensorContainerObject)
    throw new ValueError(
      'createDenseBatches: the pictures have no denseLandmarks; render a model that names them',
    )
  }
  const kept: Rendered = tf.tidy(() => [
    tf.clone(image),
    tf.clone(denseLandmarks),
    tf.slice(landmarks, [0, 0, 0], [-1, JAW, -1]),
    tf.clone(denseVisibility),
    tf.clone(batch.parameters.identity),
  ])
  tf.dispose(batch as unknown as tf.TensorContainerObject)
  return kept
}
