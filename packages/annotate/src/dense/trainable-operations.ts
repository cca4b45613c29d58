import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'
import { batchNormalization } from '@facekit/engine'
import type { ConvolutionShape } from './layer-shapes.js'
import type { BlockConvolution, NetworkOperations } from './network-operations.js'

/** Added to variances. */
export const EPSILON = 1e-3
const MOMENTUM = 0.99

/** Variables of normalised convolutions: `<layer>/filter`, `scale`, `offset`, and moving averages `mean` and `variance`, which no optimiser changes.
 *
 * @param seed - of the random weights (He et al. 2015)
 */
export function convolutionVariables(
  layers: readonly ConvolutionShape[],
  seed: number,
): Record<string, tf.Variable> {
  const random = createRandom(seed)
  const variables: Record<string, tf.Variable> = {}
  const add = (name: string, shape: readonly number[], value: () => number, trainable = true) => {
    const count = shape.reduce((product, length) => product * length, 1)
    const values = Float32Array.from({ length: count }, value)
    variables[name] = tf.tidy(() => tf.variable(tf.tensor(values, [...shape]), trainable))
  }
  for (const { name, filter, depthwise } of layers) {
    const [height, width, inputs, filters] = filter
    const deviation = Math.sqrt(2 / (height * width * (depthwise ? 1 : inputs)))
    const channels = depthwise ? inputs : filters
    add(`${name}/filter`, filter, () => random.normal(0, deviation))
    add(`${name}/scale`, [channels], () => 1)
    add(`${name}/offset`, [channels], () => 0)
    add(`${name}/mean`, [channels], () => 0, false)
    add(`${name}/variance`, [channels], () => 1, false)
  }
  return variables
}

/** The network in training: normalised by the batch, which moves the averages; or, for evaluations, by the averages. */
export function trainableOperations(
  variables: Readonly<Record<string, tf.Variable>>,
  training: boolean,
): NetworkOperations<tf.Tensor4D> {
  const normalize = (x: tf.Tensor4D, name: string, relu: boolean): tf.Tensor4D => {
    const [scale, offset, mean, variance] = ['scale', 'offset', 'mean', 'variance'].map(
      (part) => variables[`${name}/${part}`],
    ) as unknown as (tf.Tensor1D & tf.Variable)[]
    if (!training) {
      const y = tf.batchNorm4d(x, mean, variance, offset, scale, EPSILON)
      return relu ? tf.relu(y) : y
    }
    const options = { epsilon: EPSILON, ...(relu && { activation: 'relu' as const }) }
    return batchNormalization(x, scale, offset, {
      ...options,
      moving: { mean, variance, momentum: MOMENTUM },
    }).output
  }
  const filterOf = (name: string) => variables[`${name}/filter`] as unknown as tf.Tensor4D
  return {
    convolve: (x, name, _, { stride = 1, relu = false }: BlockConvolution = {}) =>
      normalize(tf.conv2d(x, filterOf(name), stride, 'same'), name, relu),
    convolveDepthwise(x, name, size, { stride = 1, relu = false } = {}) {
      const padding = size === 'whole' ? 'valid' : 'same'
      return normalize(tf.depthwiseConv2d(x, filterOf(name), stride, padding), name, relu)
    },
    enlarge: enlarged,
    add: (a, b) => tf.add(a, b),
    channels: (x) => x.shape[3],
  }
}

/** Each pixel four times. */
export const enlarged = (x: tf.Tensor4D): tf.Tensor4D =>
  tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]])
