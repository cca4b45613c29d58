import { maxPool, mul, pad, reshape, sub, tidy, type Tensor4D } from '@tensorflow/tfjs-core'
import type { DetectorNetwork, RawDetections } from './detector-network.js'
import {
  convolve,
  convolveDepthwise,
  readConvolution,
  readSeparable,
  TensorStore,
} from '../network-layers.js'
import type { NetworkWeights } from '../network-weights.js'

const SIZE = 416
const CELLS = 13
const MEAN = [117.001, 114.697, 97.404]
const CHANNELS = [16, 32, 64, 128, 256, 512]
/** Width and height of the five standard boxes, in cells. */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
]

/** The quick detector of face-api: a small YOLO v2 of separable convolutions; 30 times smaller, misses small faces. */
export function createTinyDetector(weights: NetworkWeights): DetectorNetwork {
  const store = new TensorStore()
  const stem = readConvolution(store, weights, 'conv0', [3, 3, 3, 16])
  const layers = CHANNELS.slice(1).map((output, i) =>
    readSeparable(store, weights, `conv${i + 1}`, [CHANNELS[i], output]),
  )
  const head = readConvolution(store, weights, 'conv8', [1, 1, 512, 25])
  const mean = store.add(Float32Array.from(MEAN), [3])
  const predict = (image: Tensor4D) =>
    tidy(() => {
      let x = mul(sub(image, mean), 1 / 255) as Tensor4D
      // The first convolution does not pad, the others do: so it was trained.
      x = maxPool(convolve(x, stem, { padding: 'valid', activation: 'leakyrelu' }), 2, 2, 'same')
      for (const [i, { depthwise, pointwise }] of layers.entries()) {
        const padded = pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]) // prettier-ignore
        x = convolve(convolveDepthwise(padded, depthwise, { padding: 'valid' }), pointwise, {
          activation: 'leakyrelu',
        })
        x = maxPool(x, 2, i === layers.length - 1 ? 1 : 2, 'same')
      }
      return reshape(convolve(x, head), [CELLS * CELLS * ANCHORS.length, 5])
    })
  return {
    inputSize: SIZE,
    overlap: 0.4,
    async detect(image, minScore) {
      const output = predict(image)
      const values = await output.data()
      output.dispose()
      return decode(values, minScore)
    },
    dispose: () => store.dispose(),
  }
}

function decode(values: ArrayLike<number>, minScore: number): RawDetections {
  const found: RawDetections = []
  for (let i = 0; i < CELLS * CELLS * ANCHORS.length; i++) {
    const score = sigmoid(values[5 * i + 4])
    if (!(score >= minScore)) continue
    const cell = Math.floor(i / ANCHORS.length)
    const anchor = ANCHORS[i % ANCHORS.length]
    const width = (Math.exp(values[5 * i + 2]) * anchor[0]) / CELLS
    const height = (Math.exp(values[5 * i + 3]) * anchor[1]) / CELLS
    const x = ((cell % CELLS) + sigmoid(values[5 * i])) / CELLS - width / 2
    const y = (Math.floor(cell / CELLS) + sigmoid(values[5 * i + 1])) / CELLS - height / 2
    found.push({ box: { x, y, width, height }, score })
  }
  return found
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
