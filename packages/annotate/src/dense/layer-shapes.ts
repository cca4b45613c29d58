import { denseFeatures } from './dense-graph.js'
import type { NetworkOperations } from './network-operations.js'

/** A convolution of the network. */
export interface ConvolutionShape {
  name: string
  /** `[kh, kw, C, F]`, of a depthwise one `[kh, kw, C, 1]`. */
  filter: readonly [number, number, number, number]
  depthwise: boolean
}

interface Shape {
  size: number
  channels: number
}

/** All convolutions of the network, in the order in which they run.
 *
 * @returns also the channels of what the last layers take
 */
export function layerShapes(
  inputSize: number,
  width: number,
): { layers: ConvolutionShape[]; mapChannels: number; featureChannels: number } {
  const layers: ConvolutionShape[] = []
  const net: NetworkOperations<Shape> = {
    convolve(x, name, filters, { size = 1, stride = 1 } = {}) {
      layers.push({ name, filter: [size, size, x.channels, filters], depthwise: false })
      return { size: Math.ceil(x.size / stride), channels: filters }
    },
    convolveDepthwise(x, name, size, { stride = 1 } = {}) {
      const extent = size === 'whole' ? x.size : size
      layers.push({ name, filter: [extent, extent, x.channels, 1], depthwise: true })
      return { size: size === 'whole' ? 1 : Math.ceil(x.size / stride), channels: x.channels }
    },
    enlarge: ({ size, channels }) => ({ size: 2 * size, channels }),
    add: (a) => a,
    channels: (x) => x.channels,
  }
  const { maps, features } = denseFeatures(net, { size: inputSize, channels: 3 }, width)
  return { layers, mapChannels: maps.channels, featureChannels: features.channels }
}
