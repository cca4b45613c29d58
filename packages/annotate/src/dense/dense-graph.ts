import type { NetworkOperations } from './network-operations.js'

// Contributor notes. Inverted residuals (Sandler et al. 2018); where pictures are still large the expansion and the depthwise filter are one
// full convolution, as in EfficientNetV2 (Tan, Le 2021): fewer and smaller feature maps. A decoder brings what the small maps know back to
// pixels of a quarter of the picture (Lin et al., Feature Pyramid Networks, 2017), because lids and lips are a matter of single pixels.

/** Stages after the stem: factor of the channels inside, channels outside, how many blocks; each begins by halving. */
const STAGES = [
  [3, 32, 3],
  [4, 48, 4],
  [4, 96, 5],
  [4, 160, 5],
] as const
/** Channels of the decoder at 1/16, 1/8 and 1/4 of the picture. */
const DECODER = [96, 64, 64] as const
const FEATURES = 512

/** What the network makes of a picture. */
export interface DenseFeatures<T> {
  /** `[B, S / 4, S / 4, C]`, from which heat maps are drawn. */
  maps: T
  /** `[B, 1, 1, F]` of the whole picture. */
  features: T
}

/** Everything but the last layers.
 *
 * @param images - `[B, S, S, 3]`, S a multiple of 32
 * @param width - factor of all channels
 */
export function denseFeatures<T>(net: NetworkOperations<T>, images: T, width = 1): DenseFeatures<T> {
  const channels = (count: number) => Math.max(8, Math.round((count * width) / 8) * 8)
  let x = net.convolve(images, 'stem', channels(24), { size: 3, stride: 2, relu: true })
  const scales: T[] = []
  for (const [stage, [factor, filters, count]] of STAGES.entries()) {
    for (let block = 0; block < count; block++) {
      const name = `stage${stage + 1}_${block + 1}`
      const halving = block === 0 ? 2 : 1
      x =
        stage === 0 && block === 0
          ? fusedBlock(net, x, name, channels(filters))
          : invertedResidual(net, x, name, { factor, filters: channels(filters), stride: halving })
    }
    scales.push(x)
  }
  const last = net.convolve(x, 'features', channels(FEATURES), { relu: true })
  const features = net.convolveDepthwise(last, 'features_pool', 'whole')
  for (const [i, filters] of DECODER.entries()) {
    const name = `decoder${i + 1}`
    const side = net.convolve(scales[2 - i], `${name}_side`, channels(filters))
    const up = net.enlarge(net.convolve(x, `${name}_up`, channels(filters)))
    x = invertedResidual(net, net.add(side, up), `${name}_block`, {
      factor: 2,
      filters: channels(filters),
      stride: 1,
    })
  }
  return { maps: net.convolve(x, 'maps', channels(DECODER[2]), { relu: true }), features }
}

function fusedBlock<T>(net: NetworkOperations<T>, x: T, name: string, filters: number): T {
  const inside = net.convolve(x, `${name}_expand`, 2 * filters, { size: 3, stride: 2, relu: true })
  return net.convolve(inside, `${name}_project`, filters)
}

function invertedResidual<T>(
  net: NetworkOperations<T>,
  x: T,
  name: string,
  { factor, filters, stride }: { factor: number; filters: number; stride: number },
): T {
  const inputs = net.channels(x)
  let y = net.convolve(x, `${name}_expand`, factor * inputs, { relu: true })
  y = net.convolveDepthwise(y, `${name}_depthwise`, 3, { stride, relu: true })
  y = net.convolve(y, `${name}_project`, filters)
  return stride === 1 && inputs === filters ? net.add(x, y) : y
}
