import { assertInRange } from '@facekit/core'
import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import type { Backbone, BackboneContext } from './backbone.js'
import { activation, apply, convolution, depthwiseNormal, normalization } from './layer-helpers.js'

/** Options of `mobileBackbone`. */
export interface MobileOptions {
  /** Factor of all channels. Default 1. */
  width?: number
  /** Features C. Default 512. */
  features?: number
}

/** Inverted residual blocks: factor of the channels inside, channels outside, how many, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

/** MobileNet v2 (Sandler et al. 2018), with plain relus, which runtimes fuse, and the end that faces want: instead of the mean over the last
 * pixels, one learned weight for each pixel and channel (the global depthwise convolution of MobileFaceNets, Chen et al. 2018), since places
 * in an aligned crop matter.
 *
 * @returns a backbone with features `[B, 1, 1, C]`
 * @throws {ValueError} when a factor is not positive
 */
export function mobileBackbone({ width = 1, features = 512 }: MobileOptions = {}): Backbone {
  assertInRange('mobileBackbone: width', width, 0.05, 10)
  // Multiples of 8, as in the original: vectors of four fit.
  const channels = (count: number) => Math.max(8, Math.round((count * width) / 8) * 8)
  return {
    name: `mobile${width === 1 ? '' : `-${width}`}${features === 512 ? '' : `-${features}`}`,
    build(images, context) {
      let x = convolution(images, 'stem_conv', { filters: channels(32), size: 3, stride: 2 }, context)
      x = activation(normalization(x, 'stem_bn'), 'stem_relu')
      for (const [stage, [expansion, filters, count, stride]] of STAGES.entries()) {
        for (let block = 0; block < count; block++) {
          const options = {
            name: `stage${stage + 1}_block${block + 1}`,
            expansion,
            filters: channels(filters),
            stride: block === 0 ? stride : 1,
          }
          x = invertedResidual(x, options, context)
        }
      }
      x = convolution(x, 'last_conv', { filters: features, size: 1 }, context)
      x = activation(normalization(x, 'last_bn'), 'last_relu')
      const size = x.shape[1] as number
      const pool = { name: 'pool_depthwise', kernelSize: size, useBias: false, padding: 'valid' as const }
      // It begins as the mean.
      const mean = initializers.constant({ value: 1 / (size * size) })
      return apply(layers.depthwiseConv2d({ ...pool, depthwiseInitializer: mean }), x)
    },
  }
}

interface BlockOptions {
  name: string
  expansion: number
  filters: number
  stride: number
}

function invertedResidual(
  x: SymbolicTensor,
  { name, expansion, filters, stride }: BlockOptions,
  context: BackboneContext,
): SymbolicTensor {
  const inputs = x.shape.at(-1) as number
  let y = x
  if (expansion > 1) {
    y = convolution(y, `${name}_expand_conv`, { filters: expansion * inputs, size: 1 }, context)
    y = activation(normalization(y, `${name}_expand_bn`), `${name}_expand_relu`)
  }
  const depthwise = { kernelSize: 3, strides: stride, padding: 'same' as const, useBias: false }
  const name_ = `${name}_depthwise_conv`
  y = apply(
    layers.depthwiseConv2d({ name: name_, ...depthwise, depthwiseInitializer: depthwiseNormal(context, 3) }),
    y,
  )
  y = activation(normalization(y, `${name}_depthwise_bn`), `${name}_depthwise_relu`)
  y = normalization(
    convolution(y, `${name}_project_conv`, { filters, size: 1 }, context),
    `${name}_project_bn`,
  )
  return stride === 1 && inputs === filters ? apply(layers.add({ name: `${name}_add` }), [x, y]) : y
}
