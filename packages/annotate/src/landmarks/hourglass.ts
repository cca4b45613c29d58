import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { ModelFormatError, assertShape, assertTensorsFill, readSafetensors } from '@facekit/core'
import { loadLayersWeights, saveLayersWeights } from '@facekit/engine'
import type { Box } from '../detect/box.js'
import { checkFaceBox } from '../detect/face-box.js'
import { decodeHeatmaps } from './heatmaps.js'
import { createLandmarkNetwork, type LandmarkNetworkOptions } from './hourglass-network.js'
import { locateByHourglass } from './turned-landmarks.js'
import { readShippedWeights } from '../network-weights.js'
import type { Picture } from '../pictures/picture.js'
import { readRaster } from '../pictures/picture-raster.js'
import type { Points } from '../pictures/similarity-transform.js'

/** Finds landmarks by the heat maps of stacked hourglasses. */
export interface Hourglass {
  /** The network, for `runTraining` and the like. */
  readonly model: LayersModel
  /** What it was created with. */
  readonly options: Readonly<Required<LandmarkNetworkOptions>>
  /** Heat maps of every hourglass, for training.
   *
   * @param images - `[B, S, S, 3]` encoded, 0..1, of the network's input size
   * @returns `[B, S / 4, S / 4, L]` for each hourglass; the best is the last
   * @differentiable images, the network's weights
   * @memory the caller owns the results
   * @throws {ShapeError} when the images have another size
   */
  apply(images: tf.Tensor4D, options?: { training?: boolean }): tf.Tensor4D[]
  /** The landmarks in pictures of one face each, which it fills to about two thirds.
   *
   * @param images - `[B, S, S, 3]` encoded, 0..1, of the network's input size
   * @returns `points`: `[B, L, 2]` pixels, pixel centres at +0.5; `scores`: `[B, L]` 0..1
   * @differentiable images
   * @memory the caller owns the results
   * @throws {ShapeError} when the images have another size
   */
  predict(images: tf.Tensor4D): { points: tf.Tensor3D; scores: tf.Tensor2D }
  /** The 68 landmarks of a face: takes the place of `findLandmarks`, also in `annotate(picture, { landmarks: hourglass.find })`.
   *
   * @param picture - `[H, W, 3]`: a `Picture`, or a tensor of encoded colours in 0..1
   * @param box - of the face, pixels of the picture; may reach outside
   * @returns `[68, 2]` pixels of the picture
   * @throws {ShapeError | ImageError | ValueError | AnnotationError} as `findLandmarks`
   */
  find(this: void, picture: Picture | tf.Tensor3D, box: Box): Promise<Points>
  /** Frees the network. */
  dispose(): void
}

/** Makes an untrained hourglass network, to be trained with `heatmapLoss`.
 *
 * @throws {ValueError} when an option is out of range
 * @example
 * const hourglass = createHourglass({ stacks: 1, features: 16, inputSize: 64 })
 * const loss = () => heatmapLoss(hourglass.apply(images, { training: true }), points)
 */
export function createHourglass(options: LandmarkNetworkOptions = {}): Hourglass {
  const complete = {
    inputSize: 128,
    stacks: 2,
    features: 112,
    depth: 4,
    landmarks: 68,
    seed: 1,
    empty: false,
    ...options,
  }
  const model = createLandmarkNetwork(complete)
  const { inputSize } = complete
  const apply: Hourglass['apply'] = (images, { training = false } = {}) => {
    assertShape('Hourglass.apply: images', images, ['B', inputSize, inputSize, 3])
    const outputs = model.apply(images, { training }) as tf.Tensor4D | tf.Tensor4D[]
    return Array.isArray(outputs) ? outputs : [outputs]
  }
  const predict: Hourglass['predict'] = (images) => tf.tidy(() => decodeHeatmaps(apply(images).at(-1)!))
  return {
    model,
    options: { ...complete, empty: false },
    apply,
    predict,
    async find(picture, box) {
      const raster = await readRaster('Hourglass.find: picture', picture)
      checkFaceBox('Hourglass.find', box, raster)
      return (await locateByHourglass(raster, { inputSize, predict }, box)).points
    },
    dispose: () => void model.dispose(),
  }
}

/** Writes an hourglass network as a safetensors file: its shape and its weights.
 *
 * @throws {ModelFormatError} when its weights cannot be named apart
 */
export async function saveHourglass(
  { model, options }: Hourglass,
  { precision, metadata }: { precision?: 'float16' | 'float32'; metadata?: Record<string, string> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { inputSize, stacks, features, depth, landmarks } = options
  const network = JSON.stringify({ inputSize, stacks, features, depth, landmarks })
  return saveLayersWeights(model, {
    precision,
    metadata: { ...metadata, format: 'facekit-hourglass', version: '1', network },
  })
}

/** Loads an hourglass network: the one that comes with the package, or one that `saveHourglass` wrote.
 *
 * @param options - `weights`: bytes of a file of `saveHourglass`
 * @returns a network on the current backend; the caller disposes it
 * @throws {ModelFormatError} when the weights cannot be read
 * @example
 * const hourglass = await loadHourglass()
 * const faces = await annotate('group.jpg', { landmarks: hourglass.find })
 */
export async function loadHourglass(options: { weights?: Uint8Array } = {}): Promise<Hourglass> {
  return openHourglass(options.weights ?? (await readShippedWeights('hourglass')))
}

/** As `loadHourglass`, from bytes. */
export function openHourglass(bytes: Uint8Array): Hourglass {
  const who = 'loadHourglass'
  const { metadata, tensors } = readSafetensors(bytes, who)
  if (metadata.format !== 'facekit-hourglass' || metadata.version !== '1') {
    throw new ModelFormatError(
      `${who}: the file holds "${metadata.format ?? 'no format'} ${metadata.version ?? ''}", expected "facekit-hourglass 1"; write it with saveHourglass`,
    )
  }
  const network = parseNetwork(metadata.network, who)
  const { stacks, depth, features, landmarks } = network
  // Each level of each hourglass has a block of more than that.
  assertTensorsFill(who, tensors, stacks * (depth * features ** 2 + features * landmarks))
  const hourglass = createHourglass({ ...network, empty: true })
  try {
    loadLayersWeights(hourglass.model, bytes, who)
    return hourglass
  } catch (error) {
    hourglass.dispose()
    throw error
  }
}

type NetworkInFile = Required<
  Pick<LandmarkNetworkOptions, 'inputSize' | 'stacks' | 'features' | 'depth' | 'landmarks'>
>

function parseNetwork(text: string | undefined, who: string): NetworkInFile {
  try {
    const value = JSON.parse(text ?? '') as Record<string, unknown>
    const { inputSize, stacks, features, depth, landmarks } = value
    const options = { inputSize, stacks, features, depth, landmarks }
    if (Object.values(options).every(Number.isInteger)) return options as NetworkInFile
  } catch {
    // reported below
  }
  throw new ModelFormatError(`${who}: the file does not say the network's shape; write it with saveHourglass`)
}
