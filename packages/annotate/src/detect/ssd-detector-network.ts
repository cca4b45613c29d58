import { concat, mul, reshape, sigmoid, slice, sub, tidy } from '@tensorflow/tfjs-core'
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core'
import { convolve, convolveDepthwise, readConvolution, TensorStore, type Layer } from '../network-layers.js'
import type { NetworkWeights } from '../network-weights.js'
import type { DetectorNetwork, RawDetections } from './detector-network.js'

const SIZE = 512
const ANCHORS = 5118
const CHANNELS = [32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
const HALVING = new Set([2, 4, 6, 12])
const POINTWISE = ['weights', 'convolution_bn_offset'] as const
const EPSILON = 0.001
const activation = 'relu6'

/** The accurate detector of face-api: MobileNet v1 with the six box predictors of a single-shot detector. */
export function createSsdDetector(weights: NetworkWeights): DetectorNetwork {
  const store = new TensorStore()
  const named = (name: string, shape: number[]) => readConvolution(store, weights, name, shape, POINTWISE)
  const stem = named('MobilenetV1/Conv2d_0_pointwise', [3, 3, 3, 32])
  const pairs = CHANNELS.slice(1).map((output, i) => ({
    stride: HALVING.has(i + 1) ? 2 : 1,
    depthwise: readDepthwise(store, weights, `MobilenetV1/Conv2d_${i + 1}_depthwise`, CHANNELS[i]),
    pointwise: named(`MobilenetV1/Conv2d_${i + 1}_pointwise`, [1, 1, CHANNELS[i], output]),
  }))
  const extras = [512, 256, 256, 128].map((output, i) => {
    const input = [1024, 512, 256, 256][i]
    const middle = output / 2
    return {
      narrow: named(`Prediction/Conv2d_${2 * i}_pointwise`, [1, 1, input, middle]),
      halve: named(`Prediction/Conv2d_${2 * i + 1}_pointwise`, [3, 3, middle, output]),
    }
  })
  const predictors = [512, 1024, 512, 256, 256, 128].map((input, i) => {
    const boxes = i === 0 ? 3 : 6
    const read = (kind: string, width: number) =>
      readConvolution(
        store,
        weights,
        `Prediction/BoxPredictor_${i}/${kind}`,
        [1, 1, input, width],
        ['weights', 'biases'],
      )
    return { boxes: read('BoxEncodingPredictor', boxes * 4), classes: read('ClassPredictor', boxes * 3) }
  })
  const anchors = weights.read('Output/extra_dim', [1, ANCHORS, 4])

  const predict = (image: Tensor4D) =>
    tidy(() => {
      const features: Tensor4D[] = []
      let x = sub(mul(image, 1 / 127.5), 1) as Tensor4D
      x = convolve(x, stem, { stride: 2, activation })
      for (const [i, { stride, depthwise, pointwise }] of pairs.entries()) {
        x = convolveDepthwise(x, depthwise, { stride, activation })
        x = convolve(x, pointwise, { activation })
        if (i === 10) features.push(x)
      }
      features.push(x)
      for (const { narrow, halve } of extras) {
        x = convolve(x, narrow, { activation })
        x = convolve(x, halve, { stride: 2, activation })
        features.push(x)
      }
      const heads = features.map((feature, i) => ({
        boxes: reshape(convolve(feature, predictors[i].boxes), [-1, 4]),
        classes: reshape(convolve(feature, predictors[i].classes), [-1, 3]),
      }))
      const classes = concat(heads.map((head) => head.classes)) as Tensor2D
      return {
        boxes: concat(heads.map((head) => head.boxes)),
        // The columns are: background, face, and one that was never trained.
        scores: sigmoid(slice(classes, [0, 1], [-1, 1])),
      }
    })

  return {
    inputSize: SIZE,
    overlap: 0.5,
    async detect(image, minScore) {
      const output = predict(image)
      const [encoded, scores] = await Promise.all([output.boxes.data(), output.scores.data()])
      output.boxes.dispose()
      output.scores.dispose()
      return decode(encoded, scores, anchors, minScore)
    },
    dispose: () => store.dispose(),
  }
}

/** Boxes of the anchors (top, left, bottom, right) that score enough, moved by what the network says. */
function decode(
  encoded: ArrayLike<number>,
  scores: ArrayLike<number>,
  anchors: Float32Array,
  minScore: number,
): RawDetections {
  const found: RawDetections = []
  for (let i = 0; i < ANCHORS; i++) {
    if (!(scores[i] >= minScore)) continue
    const [top, left, bottom, right] = anchors.subarray(4 * i, 4 * i + 4)
    const height = Math.exp(encoded[4 * i + 2] / 5) * (bottom - top)
    const width = Math.exp(encoded[4 * i + 3] / 5) * (right - left)
    const y = (encoded[4 * i] / 10) * (bottom - top) + (top + bottom) / 2 - height / 2
    const x = (encoded[4 * i + 1] / 10) * (right - left) + (left + right) / 2 - width / 2
    found.push({ box: { x, y, width, height }, score: scores[i] })
  }
  return found
}

/** A depthwise filter with its batch normalisation folded in. */
function readDepthwise(store: TensorStore, weights: NetworkWeights, name: string, channels: number): Layer {
  const filter = weights.read(`${name}/depthwise_weights`, [3, 3, channels, 1])
  const [gamma, bias, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((part) =>
    weights.read(`${name}/BatchNorm/${part}`, [channels]),
  )
  for (let c = 0; c < channels; c++) {
    const scale = gamma[c] / Math.sqrt(variance[c] + EPSILON)
    bias[c] -= mean[c] * scale
    for (let i = c; i < filter.length; i += channels) filter[i] *= scale
  }
  return store.layer(filter, [3, 3, channels, 1], bias)
}
