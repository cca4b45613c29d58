import { decodeRaw, type RawSample } from '../samples/decode-sample.js'
import type { FaceSample } from '../samples/face-sample.js'
import type { SampleEntry } from '../samples/find-samples.js'
import { packMasks } from '../samples/image-codec.js'
import { readSampleFiles } from '../samples/sample-location.js'

/** What of a sample goes into a batch: bytes, so that many can be kept and sent between threads. */
export interface BatchSample {
  /** Width and height of the crop. */
  size: number
  /** `[S * S * 3]` 0..255 */
  image: Uint8Array
  /** `[S * S * 3]` 0..255: face region, inner mouth, skin probability */
  masks: Uint8Array
  /** `[68 * 2]` pixels of the crop */
  landmarks: Float32Array
  embedding: Float32Array
}

/** Reads a sample of a data set on disk. */
export async function readBatchSample({ key, location }: SampleEntry): Promise<BatchSample> {
  const where = 'shard' in location ? location.shard : location.paths.json
  const { labels, image, masks }: RawSample = await decodeRaw(key, await readSampleFiles(location), { where })
  return {
    size: labels.size,
    image: image.data,
    masks: masks.data,
    landmarks: Float32Array.from(labels.annotation.landmarks.data),
    embedding: labels.annotation.embedding,
  }
}

/** What of a sample in memory goes into a batch. */
export function batchSampleOf({ image, annotation }: FaceSample): BatchSample {
  const { faceRegion, innerMouth, skinProbability, landmarks, embedding } = annotation
  const size = image.shape[0]
  return {
    size,
    image: image.data,
    masks: packMasks(size, [faceRegion, innerMouth, skinProbability]).data,
    landmarks: Float32Array.from({ length: 136 }, (_, i) => landmarks.get(i >> 1, i & 1)),
    embedding,
  }
}
