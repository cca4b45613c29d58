import * as tf from '@tensorflow/tfjs-core'
import { convolve, convolveDepthwise, type Layer } from '../network-layers.js'
import type { NetworkOperations } from './network-operations.js'
import { enlarged } from './trainable-operations.js'

/** The network with normalisations folded into its convolutions: each convolution, bias and relu is one kernel. */
export function inferenceOperations(layers: ReadonlyMap<string, Layer>): NetworkOperations<tf.Tensor4D> {
  const activation = (relu: boolean) => (relu ? ('relu' as const) : ('linear' as const))
  return {
    convolve: (x, name, _, { stride = 1, relu = false } = {}) =>
      convolve(x, layers.get(name)!, { stride, activation: activation(relu) }),
    convolveDepthwise: (x, name, size, { stride = 1, relu = false } = {}) =>
      convolveDepthwise(x, layers.get(name)!, {
        stride,
        padding: size === 'whole' ? 'valid' : 'same',
        activation: activation(relu),
      }),
    enlarge: enlarged,
    add: (a, b) => tf.add(a, b),
    channels: (x) => x.shape[3],
  }
}
