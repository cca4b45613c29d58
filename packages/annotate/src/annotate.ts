import { tensor4d, tidy, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'
import { assertInRange, assertInteger, assertShape } from '@facekit/core'
import { cropFace, type FaceCrop } from './pictures/align-face.js'
import { closeEyes } from './landmarks/close-eyes.js'
import { closeLips } from './landmarks/close-lips.js'
import { loadEmbedder } from './identity/embedder.js'
import { denseFromLandmarks } from './dense/find-dense-landmarks.js'
import type { FaceAnnotation } from './face-annotation.js'
import { locateFaces, type LocatedFace, type LocateFacesOptions } from './locate-faces.js'
import { labelMasks, type LabelMasksOptions } from './segment/label-masks.js'
import { assertPicture, type Picture } from './pictures/picture.js'
import { readPicture, type PictureSource } from './pictures/read-picture.js'
import { applyTransform, invertTransform, type Points } from './pictures/similarity-transform.js'

type Mask = NdArray<Float32Array>

/** Options of `annotate`. Each stage can be replaced by a function of one's own. */
export interface AnnotateOptions extends LabelMasksOptions, LocateFacesOptions {
  /** Width and height of the crop in pixels. Default 224. */
  size?: number
  /** Largest picture that is decoded, in pixels. Default 2^28, 268 million. */
  maxPixels?: number
  /** Corrects the inner lips, landmarks `[68, 2]` in pixels of the crop; `false` leaves them as they are. Default `closeLips`. */
  lips?: false | ((crop: FaceCrop, landmarks: Points) => Points | Promise<Points>)
  /** Corrects the lids, in the same way. Default `closeEyes`. */
  eyes?: false | ((crop: FaceCrop, landmarks: Points) => Points | Promise<Points>)
  /** Whether `denseLandmarks` are given, too. Default true. */
  denseLandmarks?: boolean
  /** Gives the identity embedding of pictures `[B, S, S, 3]`, as `[B, D]`. Default: the network of `loadEmbedder`. */
  embedder?: (images: Tensor4D) => Tensor2D
}

/** Finds and labels every face in a picture: box, landmarks, aligned crop, face region, inner mouth, skin, identity.
 *
 * @param image - a picture, or a path, URL, bytes or Blob for `readPicture`
 * @returns the faces, largest first; an empty array when there is none. Detections whose landmarks cannot be a face's, and
 *   second detections of one face, are dropped: `onReject` tells why.
 * @differentiable no
 * @memory plain data. The networks are loaded on first use and kept, see `disposeNetworks`.
 * @throws {ImageError} when the picture cannot be read
 * @throws {ShapeError} when a replaced stage gives a wrong shape
 * @throws {ValueError} when an option is out of range
 * @throws {ModelFormatError} when weights cannot be read
 * @example
 * const faces = await annotate('group.jpg')
 * faces[0].landmarks.shape // [68, 2]
 */
export async function annotate(
  image: PictureSource | Picture,
  options: AnnotateOptions = {},
): Promise<FaceAnnotation[]> {
  const { maxFaces = Infinity, minScore = 0.5, size = 224, maxPixels, signal } = options
  assertInRange('annotate: minScore', minScore, 0, 1)
  assertInteger('annotate: size', size, 32, 4096)
  if (maxFaces !== Infinity) assertInteger('annotate: maxFaces', maxFaces, 1)
  signal?.throwIfAborted()
  const picture = isPicture(image) ? image : await readPicture(image, { maxPixels })
  assertPicture('annotate: image', picture)
  signal?.throwIfAborted()
  const located = await locateFaces(picture, { ...options, minScore, maxFaces })
  const faces: FaceAnnotation[] = []
  for (const face of located) {
    signal?.throwIfAborted()
    faces.push(await describe(picture, face, options, size))
  }
  return faces
}

async function describe(
  picture: Picture,
  { detection: { box, score }, landmarks, dense: seen }: LocatedFace,
  options: AnnotateOptions,
  size: number,
): Promise<FaceAnnotation> {
  const { signal } = options
  const crop = cropFace(picture, landmarks, { size })
  const { image, transform } = crop
  const { inCrop, inPicture } = await correct(crop, landmarks, options)
  const masks = await labelMasks(crop, inCrop, options)
  signal?.throwIfAborted()
  const dense =
    options.denseLandmarks === false ? undefined : (seen ?? (await denseFromLandmarks(picture, inPicture)))
  return {
    box,
    score,
    landmarks: inPicture,
    ...(dense && { denseLandmarks: dense }),
    alignment: { size, transform, image, landmarks: inCrop },
    ...masks,
    embedding: await embedCrop(image, options.embedder),
  }
}

/** The landmarks in the crop and in the picture; those that the corrections leave alone stay exactly what they were. */
async function correct(crop: FaceCrop, landmarks: Points, options: AnnotateOptions) {
  const before = applyTransform(crop.transform, landmarks)
  let inCrop: Points = before
  for (const [name, correction] of [
    ['lips', options.lips ?? defaultLips],
    ['eyes', options.eyes ?? defaultEyes],
  ] as const) {
    if (correction === false) continue
    inCrop = await correction(crop, inCrop)
    assertShape(`annotate: ${name}`, inCrop, [68, 2])
  }
  if (inCrop === before) return { inCrop: before, inPicture: landmarks }
  const inPicture = applyTransform(invertTransform(crop.transform), inCrop)
  for (let i = 0; i < 136; i++) {
    const [k, axis] = [i >> 1, i & 1]
    if (inCrop.get(k, axis) === before.get(k, axis)) inPicture.set(k, axis, landmarks.get(k, axis))
  }
  return { inCrop, inPicture }
}

const defaultLips = ({ image, transform }: FaceCrop, landmarks: Points): Points =>
  closeLips(image, landmarks, { scale: transform.scale })

const defaultEyes = ({ image, transform }: FaceCrop, landmarks: Points): Points =>
  closeEyes(image, landmarks, { scale: transform.scale })

async function embedCrop(image: Mask, embedder?: AnnotateOptions['embedder']): Promise<Float32Array> {
  const embed = embedder ?? (await loadEmbedder()).embed
  const [height, width] = image.shape
  const batch = tensor4d(image.data, [1, height, width, 3], 'float32')
  const output = tidy(() => embed(batch))
  const values = Float32Array.from(await output.data())
  output.dispose()
  batch.dispose()
  return values
}

const isPicture = (image: PictureSource | Picture): image is Picture =>
  typeof image === 'object' && image !== null && 'shape' in image && 'stride' in image
