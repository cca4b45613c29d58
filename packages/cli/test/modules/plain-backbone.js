import { layers } from '@tensorflow/tfjs-layers'

export default {
  name: 'plain',
  build: (images) =>
    layers
      .conv2d({ filters: 8, kernelSize: 3, strides: 4, activation: 'relu', name: 'plain_conv' })
      .apply(images),
}
