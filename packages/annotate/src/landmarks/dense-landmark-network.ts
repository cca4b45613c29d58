import {
  add,
  avgPool,
  matMul,
  mul,
  relu,
  reshape,
  sub,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import {
  convolve,
  convolveDepthwise,
  readConvolution,
  readSeparable,
  TensorStore,
} from '../network-layers.js'
import type { Layer, SeparableLayer } from '../network-layers.js'
import type { ViewNetwork } from './predict-views.js'
import type { NetworkWeights } from '../network-weights.js'

/** Finds 68 landmarks in pictures of one face each. */
export interface LandmarkNetwork extends ViewNetwork {
  dispose(): void
}

interface Block {
  first: Layer | SeparableLayer
  others: SeparableLayer[]
}

const MEAN = [122.782, 117.001, 104.298]
const CHANNELS = [3, 32, 64, 128, 256]

/** The 68-landmark network of face-api: four densely connected blocks of four separable convolutions each, of which the
 * first halves the picture, then a mean and one matrix. */
export function createDenseLandmarkNetwork(weights: NetworkWeights): LandmarkNetwork {
  const store = new TensorStore()
  const blocks = [0, 1, 2, 3].map((k): Block => {
    const [input, output] = [CHANNELS[k], CHANNELS[k + 1]]
    const name = `dense${k}/conv`
    return {
      first:
        k === 0
          ? readConvolution(store, weights, `${name}0`, [3, 3, input, output])
          : readSeparable(store, weights, `${name}0`, [input, output]),
      others: [1, 2, 3].map((i) => readSeparable(store, weights, `${name}${i}`, [output, output])),
    }
  })
  const matrix = store.add<Tensor2D>(weights.read('fc/weights', [256, 136]), [256, 136])
  const offset = store.add(weights.read('fc/bias', [136]), [136])
  const mean = store.add(Float32Array.from(MEAN), [3])
  const predict = (images: Tensor4D) =>
    tidy(() => {
      let x = mul(sub(images, mean), 1 / 255) as Tensor4D
      for (const block of blocks) x = runBlock(x, block)
      // From 7 x 7 pixels to one.
      const pooled = reshape(avgPool(x, 7, 2, 'valid'), [-1, 256]) as Tensor2D
      return add(matMul(pooled, matrix), offset) as Tensor2D
    })
  return {
    inputSize: 112,
    predict: (images) => ({ points: predict(images) }),
    dispose: () => store.dispose(),
  }
}

function runBlock(x: Tensor4D, { first, others }: Block): Tensor4D {
  const start =
    'filter' in first ? convolve(x, first, { stride: 2, activation: 'relu' }) : separable(x, first, 2, 'relu')
  let sum: Tensor = start
  let input = start
  for (const layer of others) {
    sum = add(sum, separable(input, layer, 1, 'linear'))
    input = relu(sum) as Tensor4D
  }
  return input
}

function separable(
  x: Tensor4D,
  layer: SeparableLayer,
  stride: number,
  activation: 'linear' | 'relu',
): Tensor4D {
  return convolve(convolveDepthwise(x, layer.depthwise, { stride }), layer.pointwise, { activation })
}
