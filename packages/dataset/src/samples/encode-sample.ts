import { assertInteger, assertShape, showValue, ValueError } from '@facekit/core'
import type { FaceSample } from './face-sample.js'
import { encodeJpeg, encodePng, packMasks } from './image-codec.js'
import { readSampleJson, writeSampleJson } from './sample-json.js'

/** The files of a sample by their ending: `jpg`, `json`, `mask.png`, and what more it has. */
export type SampleFiles = Map<string, Uint8Array>

/** Options of `encodeSample`. */
export interface EncodeSampleOptions {
  /** Of the JPEG crop, 1..100. Default 85. */
  quality?: number
}

/** A key has no dot: in a tar shard the name of a file up to its first dot is the sample's. */
const KEY = /^[A-Za-z0-9_-][A-Za-z0-9_/-]{0,79}$/

/** Checks the name of a sample.
 *
 * @throws {ValueError} when it is not of letters, digits, `_`, `-` and `/`, or longer than 80
 */
export function assertKey(who: string, key: string): void {
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new ValueError(
      `${who}: the key is ${showValue(key)}, expected 1 to 80 letters, digits, "_", "-" or "/"; rename it`,
    )
  }
}

/** Writes a sample as files: crop as JPEG, masks as the channels of one PNG (R face region, G inner mouth, B skin probability),
 * labels as JSON. Node only (sharp).
 *
 * The same sample gives the same bytes.
 *
 * @throws {ValueError} for a bad key or an option out of range
 * @throws {ShapeError} when crop and masks differ in size
 * @throws {DatasetError} when a label is not finite
 */
export async function encodeSample(
  sample: FaceSample,
  options: EncodeSampleOptions = {},
): Promise<SampleFiles> {
  const { quality = 85 } = options
  const { key, image, annotation, files = {} } = sample
  assertInteger('encodeSample: quality', quality, 1, 100)
  assertKey('encodeSample', key)
  const who = `encodeSample: ${key}`
  const { S } = assertShape(`${who}: image`, image, ['S', 'S', 3])
  const masks = [annotation.faceRegion, annotation.innerMouth, annotation.skinProbability]
  for (const mask of masks) assertShape(`${who}: mask`, mask, [S, S])
  assertShape(`${who}: landmarks`, annotation.landmarks, [68, 2])
  const json = new TextEncoder().encode(writeSampleJson(sample))
  // What cannot be read must not be written.
  readSampleJson(json, who)
  const result: SampleFiles = new Map([
    ['jpg', await encodeJpeg(image, quality)],
    ['json', json],
    ['mask.png', await encodePng(packMasks(S, masks))],
  ])
  for (const [ending, bytes] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (result.has(ending) || !/^[a-z0-9][a-z0-9._-]{0,15}$/.test(ending)) {
      throw new ValueError(
        `${who}: a file with the ending "${ending}", expected another one of small letters and digits; rename it`,
      )
    }
    result.set(ending, bytes)
  }
  return result
}
