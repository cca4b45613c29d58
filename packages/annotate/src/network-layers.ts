import {
  engine,
  FusedConv2D,
  FusedDepthwiseConv2D,
  keep,
  tensor,
  type NamedAttrMap,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import type { NetworkWeights } from './network-weights.js'

/** What follows a convolution. */
export type Activation = 'linear' | 'relu' | 'relu6' | 'leakyrelu'

/** How a convolution moves over its picture. */
export interface ConvolutionOptions {
  stride?: number
  padding?: 'same' | 'valid'
  activation?: Activation
}

/** A convolution with its bias, kept until `dispose`. */
export interface Layer {
  filter: Tensor4D
  bias: Tensor
}

/** Makes tensors that outlive every tidy, and frees them together. */
export class TensorStore {
  private readonly tensors: Tensor[] = []

  add<T extends Tensor>(values: Float32Array, shape: number[]): T {
    const made = keep(tensor(values, shape, 'float32'))
    this.tensors.push(made)
    return made as T
  }

  layer(filter: Float32Array, shape: number[], bias: Float32Array): Layer {
    return { filter: this.add(filter, shape), bias: this.add(bias, [bias.length]) }
  }

  dispose(): void {
    for (const made of this.tensors.splice(0)) made.dispose()
  }
}

/** Convolution, bias and activation in one kernel. No gradient: `tf.fused` asks for that of the filter, which the WASM
 * backend lacks; whoever needs one writes it with `customGrad`. */
export function convolve(x: Tensor4D, layer: Layer, options: ConvolutionOptions = {}): Tensor4D {
  return runConvolution(FusedConv2D, x, layer, options)
}

/** The same for each channel apart. */
export function convolveDepthwise(x: Tensor4D, layer: Layer, options: ConvolutionOptions = {}): Tensor4D {
  return runConvolution(FusedDepthwiseConv2D, x, layer, options)
}

function runConvolution(kernel: string, x: Tensor4D, layer: Layer, options: ConvolutionOptions): Tensor4D {
  const { stride = 1, padding = 'same', activation = 'linear' } = options
  const attributes = {
    strides: [stride, stride],
    pad: padding,
    dataFormat: 'NHWC',
    dilations: [1, 1],
    dimRoundingMode: undefined,
    activation,
    leakyreluAlpha: 0.1,
  }
  return engine().runKernel(
    kernel,
    { x, filter: layer.filter, bias: layer.bias },
    attributes as unknown as NamedAttrMap,
  ) as Tensor4D
}

/** A depthwise filter followed by a pointwise one. */
export interface SeparableLayer {
  depthwise: Layer
  pointwise: Layer
}

/** Reads the two filters of a separable convolution, `<name>/{depthwise_filter,pointwise_filter,bias}`. */
export function readSeparable(
  store: TensorStore,
  weights: NetworkWeights,
  name: string,
  [input, output]: readonly [number, number],
): SeparableLayer {
  const depthwise = weights.read(`${name}/depthwise_filter`, [3, 3, input, 1])
  const pointwise = weights.read(`${name}/pointwise_filter`, [1, 1, input, output])
  const bias = weights.read(`${name}/bias`, [output])
  return {
    depthwise: store.layer(depthwise, [3, 3, input, 1], new Float32Array(input)),
    pointwise: store.layer(pointwise, [1, 1, input, output], bias),
  }
}

/** Reads a convolution, `<name>/<filter>` and `<name>/<bias>`. */
export function readConvolution(
  store: TensorStore,
  weights: NetworkWeights,
  name: string,
  shape: number[],
  [filter, bias]: readonly [string, string] = ['filters', 'bias'],
): Layer {
  return store.layer(
    weights.read(`${name}/${filter}`, shape),
    shape,
    weights.read(`${name}/${bias}`, [shape[3]]),
  )
}
