import { BackendError, readRegularFile } from '@facekit/core'
import { isOwnPicture, readPicture, type FaceAnnotation, type Picture } from '@facekit/annotate'
import { encodeSample } from '../samples/encode-sample.js'
import { labelQuality } from './label-quality.js'
import { sampleFromAnnotation } from '../samples/sample-annotation.js'
import { aboutSample, type EncodedSample } from '../samples/write-shards.js'

/** Labels every face in a picture, largest first; none when it shows none. */
export type Annotator = (picture: Picture) => Promise<FaceAnnotation[]>

/** A picture to label. */
export interface LabelJob {
  /** Where it is. */
  path: string
  /** Its path below the folder, with `/`. */
  picture: string
  identity?: string
  /** Names of its samples begin with it. */
  key: string
  /** Of the JPEG crops. */
  quality: number
  /** Largest picture that is decoded, in pixels. */
  maxPixels: number
}

/** What became of a picture. */
export interface LabelledPicture {
  samples: EncodedSample[]
  /** Why there are no samples. */
  reason?: string
  /** True when it could be read, but shows no face, or is facekit's own picture. */
  empty?: boolean
}

/** Reads a picture, labels its faces and encodes them. What cannot be labelled is a reason, not an exception.
 *
 * @throws {BackendError} when what computes failed (its memory is full, its device lost): that says nothing about the picture
 */
export async function labelPicture(job: LabelJob, annotate: Annotator): Promise<LabelledPicture> {
  try {
    const bytes = await readRegularFile(job.path, LARGEST_FILE)
    if (isOwnPicture(bytes)) return { samples: [], reason: 'was written by facekit', empty: true }
    const picture = await readPicture(bytes, { maxPixels: job.maxPixels })
    const faces = await annotate(picture)
    if (faces.length === 0) return { samples: [], reason: 'no face found', empty: true }
    return { samples: await encodeFaces(job, picture, faces) }
  } catch (error) {
    if (error instanceof BackendError)
      throw new BackendError(`${job.picture}: ${error.message}`, { cause: error })
    return { samples: [], reason: reasonOf(error) }
  }
}

async function encodeFaces(
  { identity, key, picture, quality }: LabelJob,
  { shape: [height, width] }: Picture,
  faces: readonly FaceAnnotation[],
): Promise<EncodedSample[]> {
  const samples: EncodedSample[] = []
  for (const [face, annotation] of faces.entries()) {
    const source = { picture, width, height, face, faces: faces.length }
    const about = { key: `${key}-${face}`, ...(identity !== undefined && { identity }), source }
    const sample = sampleFromAnnotation(annotation, about)
    sample.quality = labelQuality(sample)
    samples.push({ ...aboutSample(sample), files: await encodeSample(sample, { quality }) })
  }
  return samples
}

/** Largest file that is read; no camera writes a larger one. */
const LARGEST_FILE = 2 ** 30

/** Without paths, so that the result does not depend on where the pictures are. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOTREG') return 'is no regular file'
  if (code === 'EFBIG') return `is larger than ${LARGEST_FILE} bytes`
  if (code !== undefined && /^E[A-Z]+$/.test(code)) return `cannot be read (${code})`
  return String(message ?? error)
    .replace(/^readPicture: the picture's bytes: /, '')
    .replace(/\s+/g, ' ')
}
