import type { NdArray } from 'ndarray'
import { cachedLayersNetwork } from '../network-cache.js'
import type { FaceSegmentation } from './segmentation-masks.js'
import { openSegmenter } from './segmenter-weights.js'

/** Labels the pixels of an aligned face with the network that comes with the package, which is loaded on first use and kept.
 *
 * @param crop - of `cropFace` or `FaceAnnotation.alignment`: `image` is `[S, S, 3]` encoded sRGB, 0..1
 * @returns labels of the 19 classes of CelebAMask-HQ, and masks `[S, S]` of the face and of the opening of the mouth. Other people's
 *   faces in the crop are face, too.
 * @differentiable no
 * @memory plain data. `disposeNetworks` frees the network.
 * @throws {ShapeError} when the crop is no square colour picture
 * @throws {ModelFormatError} when the weights cannot be read
 * @example
 * const { classes, faceRegion } = await segment(cropFace(picture, landmarks))
 * classes.get(112, 112) // 2, which is the nose
 */
export async function segment(crop: { image: NdArray<Float32Array> }): Promise<FaceSegmentation> {
  const segmenter = await cachedLayersNetwork('segmenter', (bytes) => openSegmenter(bytes, false))
  return segmenter.segment(crop.image)
}
