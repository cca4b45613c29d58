import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { Backbone } from '@facekit/regressor'

/** A backbone of one's own: two convolutions. */
export const tinyBackbone: Backbone = {
  name: 'tiny',
  build(images, { nextSeed }) {
    nextSeed()
    let x = layers.conv2d({ name: 'a_conv', filters: 4, kernelSize: 3, strides: 2 }).apply(images)
    x = layers.batchNormalization({ name: 'a_bn' }).apply(x)
    x = layers.activation({ name: 'a_relu', activation: 'relu' }).apply(x)
    return layers.conv2d({ name: 'b_conv', filters: 6, kernelSize: 3, strides: 2 }).apply(x) as SymbolicTensor
  },
}
