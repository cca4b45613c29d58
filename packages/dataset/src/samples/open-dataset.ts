import { ValueError } from '@facekit/core'
import { decodeSample, type DecodeSampleOptions } from './decode-sample.js'
import type { FaceSample } from './face-sample.js'
import { findSamples, type SampleEntry } from './find-samples.js'
import { readSampleFiles } from './sample-location.js'
import { selectSamples, type SelectOptions } from './select-samples.js'

/** Labelled faces on disk, each of which can be read when it is wanted. */
export interface FaceDataset {
  readonly length: number
  /** Who is in it, in the order of their names. */
  readonly identities: readonly string[]
  /** Whether any thread can read a sample by its entry: on disk, and decoded as usual. */
  readonly onDisk?: boolean
  /** What is known of each sample without reading it. */
  readonly entries: readonly SampleEntry[]
  /** Reads one sample.
   *
   * @param index - into `entries`
   * @throws {ValueError} when there is none of that number
   * @throws {DatasetError} when it is damaged
   */
  read(index: number): Promise<FaceSample>
  /** Numbers of samples: a part, a rank's share, shuffled. The same options give the same numbers.
   *
   * @throws {ValueError} when an option is out of range, or nothing is left
   */
  select(options?: SelectOptions): number[]
  /** Reads the samples that `select` chooses, one after the other. */
  samples(
    options?: SelectOptions & {
      /** Called for each sample that cannot be read, which is then skipped. Without it such a sample is an error. */
      onSkip?: (entry: SampleEntry, error: unknown) => void
    },
  ): AsyncGenerator<FaceSample>
}

/** Opens labelled faces: a tar shard, a folder of shards, or a folder with labels beside the pictures. Node only.
 *
 * Only indices are read; of a shard without one the headers, and the labels of each sample.
 *
 * @param source - a path
 * @param options - how samples are decoded
 * @throws {DatasetError} when nothing is there, or it is damaged
 * @example
 * const dataset = await openDataset('my-faces')
 * for await (const sample of dataset.samples({ shuffle: 7, split: { part: 'train' } })) console.log(sample.identity)
 */
export async function openDataset(
  source: string,
  options: Omit<DecodeSampleOptions, 'where'> = {},
): Promise<FaceDataset> {
  return createDataset(await findSamples(source), options)
}

/** A data set of samples that are known. */
export function createDataset(
  entries: readonly SampleEntry[],
  options: Omit<DecodeSampleOptions, 'where'> = {},
): FaceDataset {
  const names = new Set(entries.map(({ identity }) => identity).filter((name) => name !== undefined))
  const read = async (index: number) => {
    const { key, location } = entryAt(entries, index)
    const where = 'shard' in location ? location.shard : location.paths.json
    return decodeSample(key, await readSampleFiles(location), { ...options, where })
  }
  return {
    length: entries.length,
    identities: [...names].sort(),
    entries,
    onDisk: options.decode === undefined && options.maxPixels === undefined,
    read,
    select: (selection) => selectSamples(entries, selection),
    async *samples({ onSkip, ...selection } = {}) {
      for (const index of selectSamples(entries, selection)) {
        let sample: FaceSample
        try {
          sample = await read(index)
        } catch (error) {
          if (onSkip === undefined) throw error
          onSkip(entries[index], error)
          continue
        }
        yield sample
      }
    },
  }
}

function entryAt(entries: readonly SampleEntry[], index: number): SampleEntry {
  const entry = entries[index]
  if (entry === undefined) {
    throw new ValueError(`FaceDataset.read: index is ${index}, expected one from 0 to ${entries.length - 1}`)
  }
  return entry
}
