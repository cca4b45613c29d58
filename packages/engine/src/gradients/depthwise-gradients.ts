import { backend_util } from '@tensorflow/tfjs-core'
import type { PlainKernel } from '../cpu/plain-kernel.js'

type Shape4D = [number, number, number, number]

interface Attributes {
  strides: [number, number] | number
  /** tfjs-layers gives `null` where it was told nothing. */
  dilations?: [number, number] | number | null
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

function convolution(input: Shape4D, filter: Shape4D, attributes: Attributes): backend_util.Conv2DInfo {
  const { strides, dilations, pad, dimRoundingMode } = attributes
  return backend_util.computeConv2DInfo(input, filter, strides, dilations ?? 1, pad, dimRoundingMode, true)
}

/** Calls back for every pair of an input pixel and an output pixel that a tap of the filter joins. */
function forEachTap(
  info: backend_util.Conv2DInfo,
  visit: (input: number, filter: number, output: number) => void,
): void {
  const { batchSize, inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth } = info
  for (let b = 0; b < batchSize; b++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ky = 0; ky < filterHeight; ky++) {
        const y = oy * info.strideHeight + ky * info.dilationHeight - info.padInfo.top
        if (y < 0 || y >= inHeight) continue
        for (let ox = 0; ox < outWidth; ox++) {
          for (let kx = 0; kx < filterWidth; kx++) {
            const x = ox * info.strideWidth + kx * info.dilationWidth - info.padInfo.left
            if (x < 0 || x >= inWidth) continue
            visit(
              (b * inHeight + y) * inWidth + x,
              ky * filterWidth + kx,
              (b * outHeight + oy) * outWidth + ox,
            )
          }
        }
      }
    }
  }
}

/** Gradient of a depthwise convolution with respect to its input: WASM has none, and that of the CPU backend passes over
 * dilations. */
export const depthwiseInputGradient: PlainKernel<'dy' | 'filter', Attributes & { inputShape: Shape4D }> = {
  name: 'DepthwiseConv2dNativeBackpropInput',
  shape: (_, { inputShape }) => inputShape,
  compute: ({ dy, filter }, result, inputs, attributes) => {
    const info = convolution(attributes.inputShape, inputs.filter.shape as Shape4D, attributes)
    const { inChannels, outChannels } = info
    const multiplier = outChannels / inChannels
    result.fill(0)
    forEachTap(info, (input, tap, output) => {
      let from = output * outChannels
      let weight = tap * outChannels
      const start = input * inChannels
      for (let i = start; i < start + inChannels; i++) {
        let sum = 0
        for (let m = 0; m < multiplier; m++) sum += dy[from++] * filter[weight++]
        result[i] += sum
      }
    })
  },
}

/** Gradient of a depthwise convolution with respect to its filter: WASM has none, and that of the CPU backend passes over
 * dilations. */
export const depthwiseFilterGradient: PlainKernel<'x' | 'dy', Attributes & { filterShape: Shape4D }> = {
  name: 'DepthwiseConv2dNativeBackpropFilter',
  shape: (_, { filterShape }) => filterShape,
  compute: ({ x, dy }, result, inputs, attributes) => {
    const info = convolution(inputs.x.shape as Shape4D, attributes.filterShape, attributes)
    const { inChannels, outChannels } = info
    const multiplier = outChannels / inChannels
    // Long sums: float64 costs nothing here.
    const sums = new Float64Array(result.length)
    forEachTap(info, (input, tap, output) => {
      let from = output * outChannels
      let weight = tap * outChannels
      const start = input * inChannels
      for (let i = start; i < start + inChannels; i++) {
        const value = x[i]
        for (let m = 0; m < multiplier; m++) sums[weight++] += value * dy[from++]
      }
    })
    result.set(sums)
  },
}
