import { assertInteger, createRandom, showValue, ValueError } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import { assembleBatch, type FaceBatch, type LoadedSample } from './assemble-batch.js'
import { augmentSettings, sampleAugmentation, noAugmentation, type AugmentOptions } from './augmentation.js'
import type { FaceDataset } from '../samples/open-dataset.js'
import { createDeviceStore } from './device-store.js'
import { createLoader, type SampleLoader } from './sample-loader.js'
import type { SelectOptions } from '../samples/select-samples.js'

/** Options of `datasetBatches`. */
export interface DatasetBatchesOptions extends Omit<SelectOptions, 'shuffle'> {
  /** Samples in a batch. Default 32. */
  batch?: number
  /** Of the order and of the changes, a whole number from 0 to 2^32 - 1. Default 0. */
  seed?: number
  /** Whether each pass has an order of its own. Default true. */
  shuffle?: boolean
  /** Whether, and how, samples are changed at random. Default true. */
  augment?: boolean | AugmentOptions
  /** Width and height of the pictures. Default 224. */
  size?: number
  /** Batches that are read ahead. Default 2. */
  prefetch?: number
  /** Threads that read and decode. Default: up to 4, as many as cores but one, where that is possible: in Node, not in a bundle, data on
   * disk, no decoder of one's own; else this thread does it. */
  threads?: number
  /** Decoded samples that are kept in memory, in bytes; one of 224 pixels takes 0.3 MB. Default 512 MB. */
  cacheBytes?: number
  /** Samples that stay in the backend's own memory, in bytes; one of 224 pixels takes 1.2 MB. Worth it on a GPU that has room: what
   * is there costs the CPU next to nothing. Default 0. */
  deviceBytes?: number
}

/** Endless batches of a data set. */
export interface DatasetBatches {
  /** The next batch; the caller owns its tensors. */
  next(): Promise<FaceBatch>
  /** Where the batches stand, after those that `next` has given out. */
  state(): DatasetBatchesState
  /** Goes on from where `state` was taken: the same batches follow. When the data set or its selection has another number of samples than then,
   * the pass that was under way ends early, and the next one begins with all samples that are there now.
   *
   * @throws {ValueError} when it is no state of batches of this size and seed
   */
  restore(state: unknown): void
  /** Samples of one pass, of all ranks together. */
  readonly length: number
  /** Samples that could not be read, by their key, and why; another took the place of each. */
  readonly skipped: ReadonlyMap<string, string>
  dispose(): void
}

/** Plain JSON. */
export interface DatasetBatchesState {
  /** Batches that were given out. */
  batches: number
  batch: number
  seed: number
  /** Samples in a pass. */
  length: number
  /** Where the number of samples changed last: batches, and passes that had begun by then. */
  since?: { batches: number; passes: number }
}

/** How many samples in a row may be bad. */
const PATIENCE = 16

/** Endless batches of labelled faces for training: in random order, changed at random, read ahead.
 *
 * A batch depends on the data set, the options and its number alone: the same seed gives the same batches, with any number of threads, and
 * after `restore`. With `ranks` processes of batch b, the batches of all ranks together are those of one process with batch
 * `ranks * b`. A sample that cannot be read is listed in `skipped`, and the next one takes its place.
 *
 * @differentiable no
 * @memory the caller disposes the tensors of each batch; decoded samples are kept up to `cacheBytes` and `deviceBytes`,
 * until `dispose`
 * @throws {ValueError} when an option is out of range, or no samples are left
 * @throws {DatasetError} from `next`, when 16 samples in a row cannot be read
 * @example
 * const batches = datasetBatches(await openDataset('my-faces'), { batch: 32, seed: 1, split: { part: 'train' } })
 * const [images, faceRegion, skin, innerMouth, landmarks, embedding] = await batches.next()
 */
export function datasetBatches(dataset: FaceDataset, options: DatasetBatchesOptions = {}): DatasetBatches {
  const { batch = 32, seed = 0, shuffle = true, augment = true, size = 224, prefetch = 2 } = options
  const { rank = 0, ranks = 1, threads, cacheBytes = 512e6, deviceBytes = 0, ...selection } = options
  assertInteger('datasetBatches: batch', batch, 1, 65_536)
  assertInteger('datasetBatches: seed', seed, 0, 0xffffffff)
  assertInteger('datasetBatches: size', size, 8, 4096)
  assertInteger('datasetBatches: prefetch', prefetch, 0, 1024)
  assertInteger('datasetBatches: ranks', ranks, 1)
  assertInteger('datasetBatches: rank', rank, 0, ranks - 1)
  const settings = augmentSettings(augment)
  const { split, minQuality, identities } = selection
  const chosen = dataset.select({ split, minQuality, identities })
  const skipped = new Map<string, string>()
  const orders = new Map<number, number[]>()
  const device = createDeviceStore(deviceBytes)
  let loader: Promise<SampleLoader> | undefined
  let given = 0
  let started = 0
  let since = { batches: 0, passes: 0 }
  let ahead: Promise<NumberedSample[]>[] = []

  /** The sample of a place in the endless row of passes. */
  const sampleAt = (endless: number): number => {
    const place = endless - since.batches * batch * ranks
    const pass = since.passes + Math.floor(place / chosen.length)
    let order = orders.get(pass)
    if (order === undefined) {
      order = shuffle ? createRandom(mix(seed, pass)).shuffle(chosen) : chosen
      orders.set(pass, order)
      for (const old of orders.keys()) if (old < pass - 1) orders.delete(old)
    }
    return order[place % chosen.length]
  }

  const loadAt = async (place: number): Promise<NumberedSample> => {
    loader ??= createLoader(dataset, threads, cacheBytes)
    const { load } = await loader
    let reason = ''
    for (let attempt = 0; attempt < PATIENCE; attempt++) {
      const index = sampleAt(place + attempt)
      const { key } = dataset.entries[index]
      try {
        const sample = device.get(index) ?? (await load(index))
        const random = createRandom(mix(seed ^ 0x5bd1e995, place))
        return { index, sample, change: settings ? sampleAugmentation(random, settings) : noAugmentation }
      } catch (error) {
        if (!(error instanceof DatasetError)) throw error
        reason = error.message
        skipped.set(key, reason)
      }
    }
    throw new DatasetError(`datasetBatches: ${PATIENCE} samples in a row cannot be read; the last: ${reason}`)
  }

  const loadBatch = (number: number): Promise<NumberedSample[]> => {
    const places = Array.from({ length: batch }, (_, i) => (number * batch + i) * ranks + rank)
    const loading = Promise.all(places.map(loadAt))
    // Reported to the caller of `next`, and to nobody before.
    loading.catch(() => {})
    return loading
  }

  const foreign = (state: unknown) =>
    new ValueError(
      `datasetBatches: ${showValue(state)} is no state of batches of ${batch} with seed ${seed}; batch and seed cannot change in a training`,
    )

  const goTo = (number: number) => {
    given = started = number
    ahead = []
  }

  return {
    length: chosen.length,
    skipped,
    async next() {
      while (ahead.length <= prefetch) ahead.push(loadBatch(started++))
      const samples = await ahead.shift()!.catch((error: unknown) => {
        goTo(given)
        throw error
      })
      given++
      const held = samples.map(({ index, sample, change }) => ({
        sample: 'tensors' in sample ? sample : (device.put(index, sample) ?? sample),
        change,
      }))
      return assembleBatch(held, size)
    },
    state: () => ({
      batches: given,
      batch,
      seed,
      length: chosen.length,
      ...(since.batches > 0 && { since }),
    }),
    restore(state) {
      const stored = (state ?? {}) as Partial<DatasetBatchesState>
      const { batches, length, since: before = { batches: 0, passes: 0 } } = stored
      const isCount = (value: unknown): value is number =>
        Number.isSafeInteger(value) && (value as number) >= 0
      const counts = [batches, length, before.batches, before.passes]
      if (!isCount(batches) || !isCount(length) || !counts.every(isCount) || length === 0)
        throw foreign(state)
      if (stored.batch !== batch || stored.seed !== seed || before.batches > batches) throw foreign(state)
      const places = (batches - before.batches) * batch * ranks
      since =
        length === chosen.length ? before : { batches, passes: before.passes + Math.ceil(places / length) }
      orders.clear()
      goTo(batches)
    },
    dispose() {
      ahead = []
      device.dispose()
      void loader?.then((started) => started.dispose())
      loader = undefined
    },
  }
}

interface NumberedSample extends LoadedSample {
  index: number
}

/** A seed of two numbers. */
function mix(seed: number, number: number): number {
  let value = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number | 0, 0xc2b2ae35)
  // Of numbers beyond 32 bits too.
  value ^= Math.imul(Math.floor(number / 2 ** 32), 0x27d4eb2f)
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39)
  return (value ^ (value >>> 15)) >>> 0
}
