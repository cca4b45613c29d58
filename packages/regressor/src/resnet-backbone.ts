import { ValueError } from '@facekit/core'
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { Backbone, BackboneContext } from './backbone.js'
import { activation, apply, convolution, normalization } from './layer-helpers.js'

/** Options of `resnetBackbone`. */
export interface ResnetOptions {
  depth: 18 | 34 | 50
  /** Channels of the first stage; the next ones have twice as many each. Default 64. */
  width?: number
}

const BLOCKS = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const

/** Means of ImageNet's red, green and blue, as Keras subtracts them from pictures of 0..255. */
const IMAGENET_MEAN = [123.68 / 255, 116.779 / 255, 103.939 / 255] as const

/** About that of its pictures; what one unit of the input is of 0..255, the loader of Keras' weights makes up for. */
const IMAGENET_DEVIATION = 0.25

/** Residual networks (He et al. 2016). Depth 50 is layer by layer, and name by name, `keras.applications.ResNet50` (v1: strides in the first
 * convolution of a block), so that its ImageNet weights fit. Pictures are normalised with ImageNet's mean, in another order of channels and another unit than Keras',
 * which `loadBackboneWeights` makes up for in the first filters.
 *
 * @returns a backbone with features `[B, S / 32, S / 32, 8 width]`, of depth 50 `[B, S / 32, S / 32, 32 width]`
 * @throws {ValueError} for another depth
 */
export function resnetBackbone({ depth, width = 64 }: ResnetOptions): Backbone {
  if (!Object.hasOwn(BLOCKS, depth))
    throw new ValueError(`resnetBackbone: depth is ${String(depth)}, expected 18, 34 or 50`)
  return {
    name: `resnet${depth}${width === 64 ? '' : `-${width}`}`,
    normalization: { mean: IMAGENET_MEAN, deviation: IMAGENET_DEVIATION },
    build(images, context) {
      let x = apply(layers.zeroPadding2d({ name: 'conv1_pad', padding: 3 }), images)
      x = convolution(x, 'conv1_conv', { filters: width, size: 7, stride: 2, padding: 'valid' }, context)
      x = activation(normalization(x, 'conv1_bn'), 'conv1_relu')
      x = apply(layers.zeroPadding2d({ name: 'pool1_pad', padding: 1 }), x)
      x = apply(layers.maxPooling2d({ name: 'pool1_pool', poolSize: 3, strides: 2 }), x)
      for (const [stage, count] of BLOCKS[depth].entries()) {
        for (let block = 0; block < count; block++) {
          const options = {
            name: `conv${stage + 2}_block${block + 1}`,
            filters: width * 2 ** stage,
            stride: block === 0 && stage > 0 ? 2 : 1,
          }
          x = depth === 50 ? bottleneck(x, options, context) : basicBlock(x, options, context)
        }
      }
      return x
    },
  }
}

interface BlockOptions {
  name: string
  filters: number
  stride: number
}

/** 1 x 1, 3 x 3, 1 x 1 with four times as many channels. */
function bottleneck(x: SymbolicTensor, { name, filters, stride }: BlockOptions, context: BackboneContext) {
  const wide = 4 * filters
  const shortcut = shortcutOf(x, { name, filters: wide, stride }, context)
  let y = convolution(x, `${name}_1_conv`, { filters, size: 1, stride }, context)
  y = activation(normalization(y, `${name}_1_bn`), `${name}_1_relu`)
  y = convolution(y, `${name}_2_conv`, { filters, size: 3 }, context)
  y = activation(normalization(y, `${name}_2_bn`), `${name}_2_relu`)
  y = convolution(y, `${name}_3_conv`, { filters: wide, size: 1 }, context)
  return joined(shortcut, normalization(y, `${name}_3_bn`, { gamma: LAST_SCALE }), name)
}

/** Two of 3 x 3. */
function basicBlock(x: SymbolicTensor, { name, filters, stride }: BlockOptions, context: BackboneContext) {
  const shortcut = shortcutOf(x, { name, filters, stride }, context)
  let y = convolution(x, `${name}_1_conv`, { filters, size: 3, stride }, context)
  y = activation(normalization(y, `${name}_1_bn`), `${name}_1_relu`)
  y = convolution(y, `${name}_2_conv`, { filters, size: 3 }, context)
  return joined(shortcut, normalization(y, `${name}_2_bn`, { gamma: LAST_SCALE }), name)
}

/** A residual starts small, so that a network of random weights begins as a shallow one, and its sums do not grow with the depth. */
const LAST_SCALE = 0.3

function shortcutOf(x: SymbolicTensor, { name, filters, stride }: BlockOptions, context: BackboneContext) {
  if (stride === 1 && x.shape.at(-1) === filters) return x
  const y = convolution(x, `${name}_0_conv`, { filters, size: 1, stride }, context)
  return normalization(y, `${name}_0_bn`)
}

function joined(shortcut: SymbolicTensor, residual: SymbolicTensor, name: string) {
  return activation(apply(layers.add({ name: `${name}_add` }), [shortcut, residual]), `${name}_out`)
}
