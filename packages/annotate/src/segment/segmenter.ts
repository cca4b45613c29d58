import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { NdArray } from 'ndarray'
import { assertDataType, assertShape, faceLabels, ShapeError, ValueError } from '@facekit/core'
import { saveLayersWeights } from '@facekit/engine'
import { faceSegmentation, type FaceSegmentation } from './segmentation-masks.js'
import { foldUnetPlusPlus } from './unet-fold.js'
import { checkUnet, createUnetPlusPlus, type UnetPlusPlusOptions } from './unet-plus-plus.js'

/** Options of `createSegmenter`: the shape of its U-Net++. */
export type SegmenterOptions = Omit<UnetPlusPlusOptions, 'form'>

/** Labels the pixels of aligned faces with the 19 classes of CelebAMask-HQ. */
export interface Segmenter {
  /** The network, for `runTraining` and the like. Of one that is folded (see `foldSegmenter`) the batch normalisations are gone. */
  readonly model: LayersModel
  /** What it was created with. */
  readonly options: Readonly<Required<UnetPlusPlusOptions>>
  /** Logits of every output, for training.
   *
   * @param images - `[B, n, n, 3]` encoded sRGB, 0..1, n the network's input size
   * @returns `[B, n / 2, n / 2, C]` for each output
   * @differentiable images, the network's weights
   * @memory the caller owns the results
   * @throws {ShapeError} when the images have another size
   */
  apply(images: tf.Tensor4D, options?: { training?: boolean }): tf.Tensor4D[]
  /** Probabilities of the classes: softmax of the mean of all outputs, enlarged.
   *
   * @param images - `[B, S, S, 3]` encoded sRGB, 0..1, faces as `alignFace` places them; of another size than the network's they are
   *   resampled
   * @returns `[B, S, S, C]`
   * @differentiable images
   * @memory the caller owns the result
   * @throws {ShapeError} when the images are not square colour pictures of float32
   */
  predict(images: tf.Tensor4D): tf.Tensor4D
  /** Labels and masks of one aligned crop.
   *
   * @param image - `[S, S, 3]` encoded sRGB, 0..1, as `alignFace` and `cropFace` give it
   * @returns plain data, nothing to dispose
   * @throws {ShapeError} when it is no square colour picture
   * @throws {ValueError} when the network has other classes than those of CelebAMask-HQ
   */
  segment(image: NdArray<Float32Array>): Promise<FaceSegmentation>
  /** Frees the network. */
  dispose(): void
}

/** Makes a segmenter that knows nothing yet: a U-Net++ to be trained with `segmentationLoss`.
 *
 * @throws {ValueError} when an option is out of range
 * @example
 * const segmenter = createSegmenter({ inputSize: 64, widths: [8, 16, 32] })
 * const loss = () => segmentationLoss(segmenter.apply(images, { training: true }), labels)
 */
export function createSegmenter(options: SegmenterOptions = {}): Segmenter {
  const complete = checkUnet({ ...options, form: 'training' })
  return wrap(createUnetPlusPlus(complete), { ...complete, empty: false })
}

/** A segmenter for inference: batch normalisations folded into the convolutions, and cut to the first `depth` outputs (a U-Net++ with deep
 * supervision works at every depth; less is faster).
 *
 * @returns a segmenter of its own; the caller disposes both
 * @throws {ValueError} when it is folded already, or `depth` is out of range
 */
export function foldSegmenter(segmenter: Segmenter, options: { depth?: number } = {}): Segmenter {
  if (segmenter.options.form === 'folded') {
    throw new ValueError('foldSegmenter: the segmenter is folded already; load it with { trainable: true }')
  }
  const depth = options.depth ?? segmenter.options.depth
  if (depth > segmenter.options.depth) {
    throw new ValueError(`foldSegmenter: depth is ${depth}, expected at most ${segmenter.options.depth}`)
  }
  const complete = checkUnet({ ...segmenter.options, depth, form: 'folded' })
  return wrap(foldUnetPlusPlus(segmenter.model, segmenter.options, depth), complete)
}

/** Writes a segmenter as a safetensors file: its shape and its weights, moving averages included.
 *
 * @throws {ValueError} when it is folded: what training needs is gone then
 */
export async function saveSegmenter(
  segmenter: Segmenter,
  options: { precision?: 'float16' | 'float32'; metadata?: Record<string, string> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { inputSize, widths, classes, depth, form } = segmenter.options
  if (form === 'folded')
    throw new ValueError('saveSegmenter: the segmenter is folded; save the trainable one')
  const network = JSON.stringify({ inputSize, widths, classes, depth })
  const metadata = { ...options.metadata, format: 'facekit-segmenter', version: '1', network }
  return saveLayersWeights(segmenter.model, { precision: options.precision, metadata })
}

function wrap(model: LayersModel, options: Required<UnetPlusPlusOptions>): Segmenter {
  const { inputSize, classes } = options
  const apply: Segmenter['apply'] = (images, { training = false } = {}) => {
    assertShape('Segmenter.apply: images', images, ['B', inputSize, inputSize, 3])
    const outputs = model.apply(images, { training }) as tf.Tensor4D | tf.Tensor4D[]
    return Array.isArray(outputs) ? outputs : [outputs]
  }
  const predict: Segmenter['predict'] = (images) => {
    const { S } = assertShape('Segmenter.predict: images', images, ['B', 'S', 'S', 3], {}, 'use alignFace')
    assertDataType('Segmenter.predict: images', images, 'float32')
    if (S < 16) throw new ShapeError(`Segmenter.predict: images are ${S} x ${S}, expected at least 16 x 16`)
    return tf.tidy(() => {
      const outputs = apply(resize(images, inputSize))
      const mean = outputs.length === 1 ? outputs[0] : tf.div(tf.addN(outputs), outputs.length)
      return tf.softmax(tf.image.resizeBilinear(mean as tf.Tensor4D, [S, S], false, true))
    })
  }
  return {
    model,
    options,
    apply,
    predict,
    async segment(image) {
      if (classes !== faceLabels.length) {
        throw new ValueError(
          `Segmenter.segment: the network has ${classes} classes, expected the ${faceLabels.length} of CelebAMask-HQ; use predict`,
        )
      }
      const { S } = assertShape('Segmenter.segment: image', image, ['S', 'S', 3], {}, 'use alignFace')
      const probabilities = tf.tidy(() => predict(tf.tensor4d(packed(image, S), [1, S, S, 3], 'float32')))
      try {
        return faceSegmentation((await probabilities.data()) as Float32Array, S)
      } finally {
        probabilities.dispose()
      }
    },
    dispose: () => void model.dispose(),
  }
}

/** Averages before it interpolates, so that a large crop doesn't alias. */
function resize(images: tf.Tensor4D, size: number): tf.Tensor4D {
  const factor = Math.floor(images.shape[1] / size)
  const averaged = factor > 1 ? tf.avgPool(images, factor, factor, 'valid') : images
  return averaged.shape[1] === size ? averaged : tf.image.resizeBilinear(averaged, [size, size], false, true)
}

/** The numbers of a picture in order, however the array is strided. */
function packed(image: NdArray<Float32Array>, size: number): Float32Array {
  const isPacked = image.offset === 0 && image.stride.join() === `${3 * size},3,1`
  if (isPacked && image.data.length === size * size * 3) return image.data
  return Float32Array.from({ length: size * size * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    return image.get(Math.floor(pixel / size), pixel % size, i % 3)
  })
}
