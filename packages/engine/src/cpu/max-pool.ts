import { backend_util } from '@tensorflow/tfjs-core'
import type { PlainKernel } from './plain-kernel.js'

interface Attributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

const poolOf = (shape: number[], { filterSize, strides, pad, dimRoundingMode }: Attributes) =>
  backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  )

/** MaxPool in plain JavaScript: NaN where one lies in the window, which the stock kernel of the CPU backend passes over. */
export const maxPool: PlainKernel<'x', Attributes> = {
  name: 'MaxPool',
  shape: ({ x }, attributes) => poolOf(x.shape, attributes).outShape,
  compute: ({ x }, result, inputs, attributes) => {
    const info = poolOf(inputs.x.shape, attributes)
    const { batchSize, inHeight, inWidth, inChannels: channels, outHeight, outWidth } = info
    result.fill(-Infinity)
    let out = 0
    for (let b = 0; b < batchSize; b++) {
      for (let oy = 0; oy < outHeight; oy++) {
        const top = oy * info.strideHeight - info.padInfo.top
        const end = Math.min(inHeight, top + info.filterHeight)
        for (let ox = 0; ox < outWidth; ox++, out += channels) {
          const left = ox * info.strideWidth - info.padInfo.left
          const right = Math.min(inWidth, left + info.filterWidth)
          for (let y = Math.max(0, top); y < end; y++) {
            let at = ((b * inHeight + y) * inWidth + Math.max(0, left)) * channels
            for (let column = Math.max(0, left); column < right; column++) {
              // Unlike a comparison, Math.max gives NaN for NaN.
              for (let c = 0; c < channels; c++, at++) result[out + c] = Math.max(result[out + c], x[at])
            }
          }
        }
      }
    }
  },
}
