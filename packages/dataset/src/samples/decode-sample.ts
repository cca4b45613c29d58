import type { Picture } from '@facekit/annotate'
import { FacekitError } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import type { SampleFiles } from './encode-sample.js'
import type { FaceSample } from './face-sample.js'
import { decodeImage, unpackMask, type DecodeImage } from './image-codec.js'
import { readSampleJson, type SampleLabels } from './sample-json.js'

/** Options of `decodeSample`. */
export interface DecodeSampleOptions {
  /** Decodes the pictures. Default: `readPicture` of @facekit/annotate. */
  decode?: DecodeImage
  /** Largest crop that is decoded, in pixels. Default 4096 x 4096. */
  maxPixels?: number
  /** The file that the sample is in; begins an error's message. */
  where?: string
}

const OWN = new Set(['jpg', 'json', 'mask.png'])

/** A sample whose masks are still the channels of one picture: R face region, G inner mouth, B skin probability. */
export interface RawSample {
  labels: SampleLabels
  /** `[S, S, 3]` */
  image: Picture
  /** `[S, S, 3]` */
  masks: Picture
}

/** Decodes a sample's files, and makes nothing of them.
 *
 * @throws {DatasetError} as `decodeSample`
 */
export async function decodeRaw(
  key: string,
  files: SampleFiles,
  options: DecodeSampleOptions = {},
): Promise<RawSample> {
  const { decode = decodeImage, maxPixels = 4096 * 4096, where } = options
  const who = where === undefined ? key : `${where}: ${key}`
  const labels = readSampleJson(fileOf(files, 'json', who), who)
  const open = async (ending: string) => {
    const bytes = fileOf(files, ending, who)
    try {
      const picture = await decode(bytes, { maxPixels })
      const [height, width] = picture.shape
      if (height === labels.size && width === labels.size) return picture
      throw new DatasetError(
        `${who}: the .${ending} has ${width} x ${height} pixels, expected ${labels.size} x ${labels.size}; label the picture again`,
      )
    } catch (error) {
      if (error instanceof DatasetError || !(error instanceof FacekitError)) throw error
      const reason = error.message.replace(/^readPicture: the picture's bytes: /, '')
      throw new DatasetError(`${who}: the .${ending}: ${reason}; label the picture again`, { cause: error })
    }
  }
  const [image, masks] = await Promise.all([open('jpg'), open('mask.png')])
  return { labels, image, masks }
}

/** Reads a sample from its files.
 *
 * @param files - by their ending, see `encodeSample`
 * @throws {DatasetError} when a file is missing, truncated, foreign, too large, or holds what is not finite
 */
export async function decodeSample(
  key: string,
  files: SampleFiles,
  options: DecodeSampleOptions = {},
): Promise<FaceSample> {
  const { labels, image, masks } = await decodeRaw(key, files, options)
  const { identity, source, quality, parameters, annotation } = labels
  const more = [...files].filter(([ending]) => !OWN.has(ending))
  return {
    key,
    ...(identity !== undefined && { identity }),
    image,
    annotation: {
      ...annotation,
      faceRegion: unpackMask(masks, 0),
      innerMouth: unpackMask(masks, 1),
      skinProbability: unpackMask(masks, 2),
    },
    ...(source && { source }),
    ...(quality && { quality }),
    ...(parameters && { parameters }),
    ...(more.length > 0 && { files: Object.fromEntries(more) }),
  }
}

function fileOf(files: SampleFiles, ending: string, who: string): Uint8Array {
  const bytes = files.get(ending)
  if (bytes === undefined) {
    throw new DatasetError(
      `${who}: has no .${ending} (it has ${[...files.keys()].map((name) => `.${name}`).join(', ') || 'nothing'}), expected .jpg, .json and .mask.png`,
    )
  }
  return bytes
}
