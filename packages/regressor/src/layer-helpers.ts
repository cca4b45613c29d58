import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { BackboneContext } from './backbone.js'

/** Layers take one tensor here, and give one. */
export const apply = (layer: { apply(x: never): unknown }, x: SymbolicTensor | SymbolicTensor[]) =>
  layer.apply(x as never) as SymbolicTensor

/** Random weights of He et al. (2015) for layers with a relu behind them. */
export function heNormal({ nextSeed }: BackboneContext) {
  const seed = nextSeed()
  return seed === undefined ? initializers.zeros() : initializers.heNormal({ seed })
}

/** The same for depthwise filters, of which each sees one channel. */
export function depthwiseNormal({ nextSeed }: BackboneContext, size: number) {
  const seed = nextSeed()
  if (seed === undefined) return initializers.zeros()
  return initializers.randomNormal({ mean: 0, stddev: Math.sqrt(2 / (size * size)), seed })
}

/** Options of `convolution`. */
export interface ConvolutionOptions {
  filters: number
  size: number
  stride?: number
  padding?: 'same' | 'valid'
}

/** A convolution without bias: what follows normalises. */
export function convolution(
  x: SymbolicTensor,
  name: string,
  { filters, size, stride = 1, padding = 'same' }: ConvolutionOptions,
  context: BackboneContext,
): SymbolicTensor {
  return apply(
    layers.conv2d({
      name,
      filters,
      kernelSize: size,
      strides: stride,
      padding,
      useBias: false,
      kernelInitializer: heNormal(context),
    }),
    x,
  )
}

/** Batch normalisation.
 *
 * @param gamma - what its scale starts with. Default 1
 */
export function normalization(
  x: SymbolicTensor,
  name: string,
  { epsilon = 1.001e-5, momentum = 0.99, gamma = 1 } = {},
): SymbolicTensor {
  const gammaInitializer = initializers.constant({ value: gamma })
  return apply(layers.batchNormalization({ name, epsilon, momentum, gammaInitializer }), x)
}

export const activation = (x: SymbolicTensor, name: string) =>
  apply(layers.activation({ name, activation: 'relu' }), x)
