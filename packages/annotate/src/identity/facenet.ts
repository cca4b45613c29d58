import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import {
  ModelFormatError,
  ShapeError,
  assertDataType,
  assertShape,
  assertTensorsFill,
  readSafetensors,
} from '@facekit/core'
import { loadLayersWeights, saveLayersWeights } from '@facekit/engine'
import type { Embedder } from './embedder.js'
import { checkFaceNet, createFaceNetNetwork, type FaceNetOptions } from './facenet-network.js'

/** Says who is in a picture, in the way of FaceNet (Schroff et al. 2015): points on a sphere, near each other for one person. */
export interface FaceNet extends Embedder {
  /** The network, for `runTraining` and the like; its output is not yet of length 1. */
  readonly model: LayersModel
  /** What it was created with. */
  readonly options: Readonly<Required<FaceNetOptions>>
  /** Embeds pictures of the network's own size.
   *
   * @param images - `[B, n, n, 3]` encoded sRGB, 0..1, n the network's input size
   * @returns `[B, D]` of Euclidean length 1
   * @differentiable images, the network's weights
   * @memory the caller owns the result
   * @throws {ShapeError} when the images have another size
   */
  apply(images: tf.Tensor4D, options?: { training?: boolean }): tf.Tensor2D
}

/** Makes an identity embedding that knows nobody yet, to be trained with `tripletLoss`.
 *
 * Takes the place of `loadEmbedder`: `annotate(picture, { embedder: net.embed })`, and as `embed` of the losses. Trained ones are stored by
 * `saveFaceNet`; training can go on from any of them.
 *
 * @throws {ValueError} when an option is out of range
 * @example
 * const net = createFaceNet()
 * const loss = () => tripletLoss(net.apply(images, { training: true }), people)
 */
export function createFaceNet(options: FaceNetOptions = {}): FaceNet {
  const complete = checkFaceNet(options)
  const model = createFaceNetNetwork(complete)
  const { inputSize, length } = complete
  const apply: FaceNet['apply'] = (images, { training = false } = {}) => {
    assertShape('FaceNet.apply: images', images, ['B', inputSize, inputSize, 3])
    return tf.tidy(() => unit(model.apply(images, { training }) as tf.Tensor2D))
  }
  return {
    model,
    options: complete,
    length,
    apply,
    embed(images) {
      const { S } = assertShape('FaceNet.embed: images', images, ['B', 'S', 'S', 3], {}, 'use alignFace')
      assertDataType('FaceNet.embed: images', images, 'float32')
      if (S < 16) throw new ShapeError(`FaceNet.embed: images are ${S} x ${S}, expected at least 16 x 16`)
      return tf.tidy(() => apply(resize(images, inputSize)))
    },
    dispose: () => void model.dispose(),
  }
}

/** Points moved onto the unit sphere. */
function unit(points: tf.Tensor2D): tf.Tensor2D {
  const squared = tf.sum(tf.square(points), 1, true)
  return tf.mul(points, tf.rsqrt(tf.add(squared, 1e-12))) as tf.Tensor2D
}

/** Averages before it interpolates, so that a large crop doesn't alias. */
function resize(images: tf.Tensor4D, size: number): tf.Tensor4D {
  const factor = Math.floor(images.shape[1] / size)
  const averaged = factor > 1 ? tf.avgPool(images, factor, factor, 'valid') : images
  return averaged.shape[1] === size ? averaged : tf.image.resizeBilinear(averaged, [size, size], false, true)
}

const FORMAT = 'facekit-facenet'

/** Writes an identity embedding as a safetensors file: its shape and its weights, moving averages included. */
export async function saveFaceNet(
  { model, options }: FaceNet,
  { precision, metadata }: { precision?: 'float16' | 'float32'; metadata?: Record<string, string> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { inputSize, length, widths, blocks } = options
  const network = JSON.stringify({ inputSize, length, widths, blocks })
  return saveLayersWeights(model, {
    ...(precision && { precision }),
    metadata: { ...metadata, format: FORMAT, version: '1', network },
  })
}

/** Reads an identity embedding of `saveFaceNet`.
 *
 * @param bytes - the whole file
 * @throws {ModelFormatError} when it is damaged, or none
 */
export function loadFaceNet(bytes: Uint8Array, who = 'loadFaceNet'): FaceNet {
  const { metadata, tensors } = readSafetensors(bytes, who)
  if (metadata.format !== FORMAT || metadata.version !== '1') {
    throw new ModelFormatError(
      `${who}: the file is ${metadata.format ? `"${metadata.format}" version ${metadata.version}` : 'of no known format'}, expected "${FORMAT}" version 1`,
    )
  }
  let net: FaceNet
  try {
    const network = checkFaceNet(JSON.parse(metadata.network) as FaceNetOptions)
    const { widths, blocks, length } = network
    // All but the first convolution of each stage are of its width on both sides.
    const within = widths.reduce((sum, width) => sum + 9 * (2 * blocks - 1) * width ** 2, 0)
    assertTensorsFill(who, tensors, within + widths.at(-1)! * length)
    net = createFaceNet(network)
  } catch (cause) {
    throw new ModelFormatError(`${who}: describes no network (${(cause as Error).message})`, { cause })
  }
  try {
    loadLayersWeights(net.model, bytes, who)
  } catch (error) {
    net.dispose()
    throw error
  }
  return net
}
