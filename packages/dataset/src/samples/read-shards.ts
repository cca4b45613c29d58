import { decodeSample, type DecodeSampleOptions } from './decode-sample.js'
import type { FaceSample } from './face-sample.js'
import { findShards } from './find-samples.js'
import { listShard, readExtents } from './tar-shard.js'

/** Options of `readShards`. */
export interface ReadShardsOptions extends Omit<DecodeSampleOptions, 'where'> {
  /** Called for each sample that cannot be read, which is then skipped. Without it such a sample is an error. */
  onSkip?: (key: string, error: unknown) => void
}

/** Reads tar shards from the first sample to the last, with the memory of one sample. Works without an index, also on shards that
 * other programs packed, in whichever order their files lie. Node only.
 *
 * @param source - a shard, or a folder of shards
 * @throws {DatasetError} when a shard is missing, truncated or no tar file, or a sample cannot be read
 * @example
 * for await (const { key, image } of readShards('my-faces')) console.log(key, image.shape)
 */
export async function* readShards(
  source: string,
  options: ReadShardsOptions = {},
): AsyncGenerator<FaceSample> {
  const { onSkip, ...decoding } = options
  for (const shard of await findShards(source)) {
    for (const { key, files } of await listShard(shard)) {
      let sample: FaceSample
      try {
        sample = await decodeSample(key, await readExtents(shard, files), { ...decoding, where: shard })
      } catch (error) {
        if (onSkip === undefined) throw error
        onSkip(key, error)
        continue
      }
      yield sample
    }
  }
}
