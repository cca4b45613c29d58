import type { FaceDataset } from '@facekit/dataset'
import type { MorphableModel } from '@facekit/morphable'
import { parameterTensors } from '@facekit/parameters'
import type { BatchSource, PhotoBatch, RenderedBatch } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import type { TrainConfig } from './train-config.js'
import { isModulePath, loadDatasetModule } from './train-modules.js'

/** Where the pictures of a training come from. */
export interface TrainData {
  dataset?: BatchSource<PhotoBatch>
  rendered?: BatchSource<RenderedBatch>
  /** The caller disposes. */
  heldOut: PhotoBatch[]
  /** Samples of the data set that could not be read, so far. */
  skipped(): number
  dispose(): void
}

/** Held-out pictures that are looked at. */
const HELD_OUT_PICTURES = 64
/** Seeds of rendered faces that are held out are that far from the others. */
const OTHER_SEED = 0x40000000

/** Opens batches of photographs and of rendered faces; each process of a run gets its share of the same pictures.
 *
 * @param dataset - of `config.dataset`, where there is one
 * @throws {ValueError} when an option is out of range
 */
export async function openTrainData(
  config: TrainConfig,
  dataset: FaceDataset | undefined,
  model: MorphableModel,
  { rank, size: ranks }: { rank: number; size: number },
): Promise<TrainData> {
  const opened: { dispose(): void }[] = []
  const data: TrainData = {
    heldOut: [],
    skipped: () => 0,
    dispose: () => {
      for (const part of opened) part.dispose()
      tf.dispose(data.heldOut)
    },
  }
  try {
    if (config.dataset !== undefined && isModulePath(config.dataset)) {
      const { batch, seed } = config
      const size = photographSize(config)
      const own = await loadDatasetModule(config.dataset, { model, batch, size, seed, rank, ranks })
      opened.push({ dispose: () => own.dispose?.() })
      data.dataset = own
      data.heldOut = own.heldOut ?? []
    } else if (dataset !== undefined) {
      const { datasetBatches } = await import('@facekit/dataset')
      const { batch, seed, augment, deviceBytes, minQuality, heldOut: share } = config
      const split = share > 0 ? { part: 'train' as const, share } : undefined
      const batches = datasetBatches(dataset, {
        batch,
        seed,
        augment,
        deviceBytes,
        minQuality,
        size: photographSize(config),
        rank,
        ranks,
        ...(split && { split }),
      })
      opened.push(batches)
      data.dataset = batches
      data.skipped = () => batches.skipped.size
      data.heldOut = await heldOutPhotographs(config, dataset)
    }
    if (config.synthetic !== false) {
      const { createFaceSynthesizer } = await import('@facekit/synthetic')
      const { renderedBatches, replayedBatches } = await import('@facekit/trainer')
      const options = config.synthetic === true ? {} : config.synthetic
      const { seed, inputSize: size, syntheticBatch: batch = config.batch } = config
      const synthesizer = createFaceSynthesizer(model, { seed, ...options, size, batch })
      opened.push(synthesizer)
      const rendered = renderedBatches(synthesizer, { rank, size: ranks, batch })
      data.rendered = config.replay > 1 ? replayedBatches(rendered, { times: config.replay, seed }) : rendered
      const { dispose } = data.rendered
      if (dispose) opened.push({ dispose })
      if (data.heldOut.length === 0) {
        const count = Math.min(16, batch)
        const other = createFaceSynthesizer(model, {
          ...options,
          seed: seed + OTHER_SEED,
          size,
          batch: count,
        })
        opened.push(other)
        const { image, faceRegion, skin, innerMouth, landmarks, parameters, ...rest } = other.next()
        tf.dispose([parameterTensors(parameters), Object.values(rest)])
        data.heldOut = [[image, faceRegion, skin, innerMouth, landmarks]]
      }
    }
    return data
  } catch (error) {
    data.dispose()
    throw error
  }
}

const photographSize = ({ photographSize: size, inputSize }: TrainConfig) => size ?? inputSize

async function heldOutPhotographs(config: TrainConfig, dataset: FaceDataset): Promise<PhotoBatch[]> {
  const { heldOut: share, minQuality, batch } = config
  if (share <= 0) return []
  const split = { part: 'held-out' as const, share }
  let count: number
  try {
    count = Math.min(HELD_OUT_PICTURES, dataset.select({ split, minQuality }).length)
  } catch {
    // A small data set may have nobody to spare.
    return []
  }
  const { datasetBatches } = await import('@facekit/dataset')
  const each = Math.min(count, batch)
  const batches = datasetBatches(dataset, {
    batch: each,
    size: photographSize(config),
    split,
    minQuality,
    shuffle: false,
    augment: false,
    prefetch: 0,
  })
  const found: PhotoBatch[] = []
  try {
    while (found.length < Math.floor(count / each)) found.push(await batches.next())
    return found
  } finally {
    batches.dispose()
  }
}
