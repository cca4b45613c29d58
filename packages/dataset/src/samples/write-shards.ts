import { assertInteger, ValueError, writeFileAtomic } from '@facekit/core'
import { encodeSample, type EncodeSampleOptions, type SampleFiles } from './encode-sample.js'
import type { FaceSample } from './face-sample.js'
import { writeShardIndex, type IndexedSample } from './shard-index.js'
import { packShard } from './tar-shard.js'

/** Options of `writeShards`. */
export interface WriteShardsOptions extends EncodeSampleOptions {
  /** Names begin with it. Default `'faces'`. */
  prefix?: string
  /** Default 256. */
  samplesPerShard?: number
  /** Number of the first shard. Default 0. */
  firstShard?: number
}

/** What `writeShards` wrote. */
export interface WrittenShards {
  /** Paths of the tar files. */
  shards: string[]
  samples: number
  /** Of the tar files together. */
  bytes: number
}

/** Writes samples as tar shards in the WebDataset layout: `faces-000000.tar` with `key.jpg`, `key.json`, `key.mask.png`, and
 * `faces-000000.index.json` beside it, for random access. Node only.
 *
 * A shard, then its index, are written to a temporary name and renamed. The same samples give the same bytes. Takes the
 * memory of one encoded shard.
 *
 * @param samples - in the order in which they are to lie
 * @param folder - made if it is not there
 * @throws {ValueError} for a key that is taken or bad, or an option out of range
 * @throws {ShapeError | DatasetError} as `encodeSample`
 * @example
 * const { shards } = await writeShards(samples, 'my-faces', { samplesPerShard: 1000 })
 */
export async function writeShards(
  samples: Iterable<FaceSample> | AsyncIterable<FaceSample>,
  folder: string,
  options: WriteShardsOptions = {},
): Promise<WrittenShards> {
  const { prefix = 'faces', samplesPerShard = 256, firstShard = 0, quality } = options
  assertInteger('writeShards: samplesPerShard', samplesPerShard, 1, 100_000)
  assertInteger('writeShards: firstShard', firstShard, 0, 999_999)
  const { mkdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  await mkdir(folder, { recursive: true })
  const result: WrittenShards = { shards: [], samples: 0, bytes: 0 }
  const taken = new Set<string>()
  let pending: EncodedSample[] = []
  const flush = async () => {
    if (pending.length === 0) return
    const path = shardPath(folder, prefix, firstShard + result.shards.length)
    result.bytes += await writeShard(path, pending, { pictures: 0, skipped: [] })
    result.shards.push(path)
    result.samples += pending.length
    pending = []
  }
  for await (const sample of samples) {
    if (taken.has(sample.key))
      throw new ValueError(`writeShards: two samples have the key "${sample.key}"; rename one`)
    taken.add(sample.key)
    pending.push({ ...aboutSample(sample), files: await encodeSample(sample, { quality }) })
    if (pending.length === samplesPerShard) await flush()
  }
  await flush()
  return result
}

/** A sample as files, with what the index says about it. */
export type EncodedSample = Omit<IndexedSample, 'files'> & { files: SampleFiles }

/** What the index of a shard says about a sample. */
export function aboutSample({ key, identity, source, quality }: FaceSample): Omit<IndexedSample, 'files'> {
  return {
    key,
    ...(identity !== undefined && { identity }),
    ...(source !== undefined && { picture: source.picture }),
    ...(quality !== undefined && { quality: Math.min(...Object.values(quality)) }),
  }
}

/** Path of a shard by its number. */
export const shardPath = (folder: string, prefix: string, number: number): string =>
  `${folder}/${prefix}-${String(number).padStart(6, '0')}.tar`

/** Writes one shard, then its index: when that is there, all is. Node only.
 *
 * @returns bytes of the tar file
 */
export async function writeShard(
  path: string,
  samples: readonly EncodedSample[],
  about: Pick<Parameters<typeof writeShardIndex>[1], 'pictures' | 'skipped'>,
): Promise<number> {
  const { bytes, samples: packed } = await packShard(samples)
  await writeFileAtomic(path, bytes)
  await writeShardIndex(path, {
    bytes: bytes.length,
    ...about,
    samples: samples.map((sample, i) => ({ ...sample, files: packed[i].files })),
  })
  return bytes.length
}
