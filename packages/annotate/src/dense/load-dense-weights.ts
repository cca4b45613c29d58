import { assertShape, ValueError } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import { readDenseWeights } from './dense-file.js'
import { denseFeatures } from './dense-graph.js'
import { centered, type DenseNetwork } from './dense-network.js'
import type { NetworkOperations } from './network-operations.js'
import { enlarged, EPSILON } from './trainable-operations.js'

/** Puts the weights of a file of `saveDenseNetwork` into a network, for a training that goes on from there.
 *
 * The file's normalisations are folded into its filters; what they would divide by is measured on pictures, so that the network computes
 * what the file's does, in training and in evaluation.
 *
 *     mean, variance = moments(filter x)        scale = sqrt(variance + epsilon)        offset = bias + mean
 *
 * @param images - `[B, S, S, 3]` encoded, 0..1, such as the training will see; some dozens are enough
 * @throws {ModelFormatError} when the file is damaged or of another kind
 * @throws {ValueError} when it is of a network with other options
 * @example
 * loadDenseWeights(network, await readFile('dense-landmarks.safetensors'), images)
 */
export function loadDenseWeights(network: DenseNetwork, bytes: Uint8Array, images: tf.Tensor4D): void {
  const { options, convolutions, heads } = readDenseWeights(bytes)
  for (const name of ['points', 'outline', 'identity', 'inputSize', 'width'] as const) {
    if (options[name] !== network.options[name])
      throw new ValueError(
        `loadDenseWeights: ${name} is ${options[name]} in the file and ${network.options[name]} in the network; make the network with the file's`,
      )
  }
  const { inputSize, width } = options
  assertShape('loadDenseWeights: images', images, ['B', inputSize, inputSize, 3])
  const { variables } = network
  const assign = (name: string, value: tf.Tensor) => variables[name].assign(value)
  const layers = new Map(convolutions.map((layer) => [layer.name, layer]))
  const run = (
    x: tf.Tensor4D,
    name: string,
    relu: boolean,
    convolution: (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D,
  ): tf.Tensor4D => {
    const layer = layers.get(name)!
    const filter = tf.tensor4d(layer.filter, [...layer.shape] as [number, number, number, number])
    const bias = tf.tensor1d(layer.bias)
    const sum = convolution(x, filter)
    const { mean, variance } = tf.moments(sum, [0, 1, 2])
    assign(`${name}/filter`, filter)
    assign(`${name}/mean`, mean)
    assign(`${name}/variance`, variance)
    assign(`${name}/scale`, tf.sqrt(tf.add(variance, EPSILON)))
    assign(`${name}/offset`, tf.add(bias, mean))
    const result = tf.add(sum, bias) as tf.Tensor4D
    return relu ? tf.relu(result) : result
  }
  const measuring: NetworkOperations<tf.Tensor4D> = {
    convolve: (x, name, _, { stride = 1, relu = false } = {}) =>
      run(x, name, relu, (input, filter) => tf.conv2d(input, filter, stride, 'same')),
    convolveDepthwise: (x, name, size, { stride = 1, relu = false } = {}) =>
      run(x, name, relu, (input, filter) =>
        tf.depthwiseConv2d(input, filter, stride, size === 'whole' ? 'valid' : 'same'),
      ),
    enlarge: enlarged,
    add: (a, b) => tf.add(a, b),
    channels: (x) => x.shape[3],
  }
  tf.tidy(() => {
    denseFeatures(measuring, centered(images), width)
    for (const [name, { shape, values }] of Object.entries(heads))
      assign(`heads/${name}`, tf.tensor(values, [...shape]))
  })
}
