import { tidy, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'
import { assertDataType, assertShape, ShapeError } from '@facekit/core'
import { ChipResampler } from './chip-resampler.js'
import type { Network } from '../network-cache.js'
import { TensorStore } from '../network-layers.js'
import type { NetworkWeights } from '../network-weights.js'
import { createRecognitionNetwork, recognitionInputSize } from './recognition-network.js'

/** Where the picture that the network was trained on lies in the aligned crop, as shares of the crop's width.
 *
 * dlib cuts its 150 x 150 chips so that its mean face, within 0..1, is padded by 0.25 on each side. Least squares of the
 * five points of that mean face (eye centres (0.2255, 0.2160) and (0.7548, 0.2160), nose tip (0.4901, 0.5156), mouth
 * corners (0.2541, 0.7802) and (0.7261, 0.7802)) on those of our 224 x 224 template gives 124.95 px a unit, hence a square
 * of 187.4 px at (19.5, 28.1).
 */
const chipWindow = { x: 19.5 / 224, y: 28.1 / 224, size: 187.4 / 224 }

/** The recognition network behind a crop of any size; shared by all embedders of a backend. */
export class SharedEmbedder implements Network {
  /** Open embedders. */
  users = 0
  disposed = false
  private readonly network
  private readonly store = new TensorStore()
  private readonly resamplers = new Map<number, ChipResampler>()

  constructor(weights: NetworkWeights) {
    this.network = createRecognitionNetwork(weights)
  }

  embed(images: Tensor4D): Tensor2D {
    const { B, S } = assertShape('embed: images', images, ['B', 'S', 'S', 3], {}, 'use alignFace')
    assertDataType('embed: images', images, 'float32')
    if (S < 32 || B < 1) {
      throw new ShapeError(
        `embed: images is [${images.shape.join(', ')}], expected at least one picture of at least 32 x 32; use alignFace`,
      )
    }
    let resampler = this.resamplers.get(S)
    if (resampler === undefined) {
      resampler = new ChipResampler(this.store, S, recognitionInputSize, chipWindow)
      this.resamplers.set(S, resampler)
    }
    const { network } = this
    return tidy(() => network.predict(resampler.apply(images)))
  }

  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    this.network.dispose()
    this.store.dispose()
  }
}
