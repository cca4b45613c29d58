import { type FaceParameters, packParameters, parameterTensors } from '@facekit/parameters'
import * as tf from '@tensorflow/tfjs-core'
import { scheduleValue } from '../loop/schedules.js'
import type { BatchSource, Schedule } from '../loop/training-options.js'

/** Labelled photographs: picture `[B, S, S, 3]` encoded 0..1, face region, probability of skin and inner mouth `[B, S, S, 1]` 0..1, landmarks
 * `[B, 68, 2]` pixels, and, where they are known, identity features `[B, D]` of the pictures. */
export type PhotoBatch = [
  picture: tf.Tensor4D,
  faceRegion: tf.Tensor4D,
  skinProbability: tf.Tensor4D,
  innerMouth: tf.Tensor4D,
  landmarks: tf.Tensor3D,
  ...embedding: tf.Tensor2D[],
]

/** Rendered pictures: picture `[B, S, S, 3]` encoded 0..1, landmarks `[B, 68, 2]` pixels, which of them are seen `[B, 68]`, and packed
 * parameters `[B, P]`, see `packParameters`. */
export type RenderedBatch = [
  picture: tf.Tensor4D,
  landmarks: tf.Tensor3D,
  visibility: tf.Tensor2D,
  parameters: tf.Tensor2D,
]

/** What of a synthesizer is used here; that of @facekit/synthetic has it. */
export interface FaceRenderings {
  next(): {
    image: tf.Tensor4D
    landmarks: tf.Tensor3D
    landmarkVisibility: tf.Tensor2D
    parameters: FaceParameters
  }
  state(): unknown
  restore(state: unknown): void
}

/** Which share of the pictures a process takes. */
export interface RenderedShare {
  /** From 0. */
  rank: number
  /** Processes of the run. */
  size: number
  /** Pictures in a batch of the synthesizer. */
  batch: number
}

/** Batches of rendered faces for `train`.
 *
 * @param share - in a run of several processes: of the batches of one synthesizer, whose seed all of them use, process r takes the batches r, r + size, r + 2 size, ...;
 *   together they are those of one process with a batch of `size * batch`. Needs a synthesizer whose state says `picture`, as that of
 *   @facekit/synthetic does
 * @memory the caller still owns the synthesizer
 * @example
 * const rendered = renderedBatches(createFaceSynthesizer(model, { batch: 32 }))
 */
export function renderedBatches(
  synthesizer: FaceRenderings,
  share: RenderedShare = { rank: 0, size: 1, batch: 0 },
): BatchSource<RenderedBatch> {
  const skip = (batches: number) => {
    if (batches === 0) return
    const state = synthesizer.state() as { picture: number }
    synthesizer.restore({ ...state, picture: state.picture + batches * share.batch })
  }
  return {
    next: async () => {
      skip(share.rank)
      const { image, landmarks, landmarkVisibility, ...rest } = synthesizer.next()
      skip(share.size - 1 - share.rank)
      const kept: RenderedBatch = [image, landmarks, landmarkVisibility, packParameters(rest.parameters)]
      tf.dispose([
        parameterTensors(rest.parameters),
        Object.values(rest).filter((value) => value instanceof tf.Tensor),
      ])
      return kept
    },
    state: () => synthesizer.state(),
    restore: (state) => synthesizer.restore(state),
  }
}

/** Number of tensors of a `RenderedBatch`. */
const RENDERED = 4

/** Photographs and rendered faces in one iteration, each as long as its weight is not 0. */
export interface MixedSources {
  dataset?: BatchSource<PhotoBatch>
  rendered?: BatchSource<RenderedBatch>
  datasetWeight: Schedule
  renderedWeight: Schedule
}

/** Which parts an iteration has, and how much they count. */
export function mixedWeights(
  sources: MixedSources,
  iteration: number,
): { dataset: number; rendered: number } {
  return {
    dataset: sources.dataset ? scheduleValue(sources.datasetWeight, iteration) : 0,
    rendered: sources.rendered ? scheduleValue(sources.renderedWeight, iteration) : 0,
  }
}

/** One source of both; what has no weight is not made.
 *
 * @param accumulate - batches in an iteration
 */
export function mixedBatches(sources: MixedSources, accumulate = 1): BatchSource<tf.Tensor[]> {
  let drawn = 0
  const { dataset, rendered } = sources
  return {
    next: async () => {
      const weights = mixedWeights(sources, Math.floor(drawn / accumulate))
      drawn++
      const batch: tf.Tensor[] = []
      try {
        if (weights.dataset !== 0) batch.push(...(await dataset!.next()))
        if (weights.rendered !== 0) batch.push(...(await rendered!.next()))
      } catch (error) {
        tf.dispose(batch)
        throw error
      }
      return batch
    },
    state: () => ({ drawn, dataset: dataset?.state(), rendered: rendered?.state() }),
    restore: (state) => {
      const stored = state as { drawn: number; dataset?: unknown; rendered?: unknown }
      drawn = stored.drawn
      if (dataset && stored.dataset !== undefined) dataset.restore(stored.dataset)
      if (rendered && stored.rendered !== undefined) rendered.restore(stored.rendered)
    },
  }
}

/** Takes a mixed batch apart. */
export function splitMixedBatch(
  batch: tf.Tensor[],
  weights: { dataset: number; rendered: number },
): { photographs?: PhotoBatch; rendered?: RenderedBatch } {
  const from = weights.rendered === 0 ? batch.length : batch.length - RENDERED
  return {
    ...(weights.dataset !== 0 && { photographs: batch.slice(0, from) as PhotoBatch }),
    ...(weights.rendered !== 0 && { rendered: batch.slice(from) as RenderedBatch }),
  }
}
