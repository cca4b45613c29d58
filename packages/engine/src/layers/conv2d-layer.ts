import { conv2d, tidy, type Tensor, type Tensor4D } from '@tensorflow/tfjs-core'
import { layerPrototype } from '../tfjs/layer-class.js'

/** Fields of the layer of tfjs-layers that are used here. */
interface Conv2DLayer {
  rank: number
  useBias: boolean
  kernel?: { read(): Tensor }
  strides: [number, number]
  padding: 'same' | 'valid' | 'causal'
  dataFormat: string
  dilationRate: [number, number]
  activation: { getClassName(): string }
  call(inputs: Tensor | Tensor[], kwargs: { training?: boolean }): Tensor | Tensor[]
}

let complete = false

/** Makes `tf.layers.conv2d` without bias and activation, in training mode, a plain convolution: the stock layer takes the fused one, whose
 * gradient is that of filter and input both, though nobody asks for the latter in a network's first layer. Does nothing the second time, and
 * without tfjs-layers. */
export function completeConv2DLayer(): void {
  const prototype = layerPrototype<Conv2DLayer>('Conv2D')
  if (complete || !prototype) return
  complete = true
  const stock = prototype.call
  prototype.call = function (inputs, kwargs) {
    return (kwargs?.training && train(this, inputs)) || stock.call(this, inputs, kwargs)
  }
}

/** @returns nothing where the stock layer must do it */
function train(layer: Conv2DLayer, inputs: Tensor | Tensor[]): Tensor | undefined {
  const x = Array.isArray(inputs) ? inputs[0] : inputs
  const { rank, useBias, kernel, strides, padding, dataFormat, dilationRate } = layer
  const plain = rank === 2 && !useBias && layer.activation.getClassName() === 'linear'
  // tf.conv2d has no gradient where a filter is spread.
  if (dilationRate.some((rate) => rate !== 1)) return undefined
  if (!plain || !kernel || x.rank !== 4 || padding === 'causal' || dataFormat === 'channelsFirst')
    return undefined
  return tidy(() => conv2d(x as Tensor4D, kernel.read() as Tensor4D, strides, padding))
}
