import * as tfl from '@tensorflow/tfjs-layers'
import { assertInteger, ValueError } from '@facekit/core'

/** Options of `createLandmarkNetwork`. */
export interface LandmarkNetworkOptions {
  /** Width and height of the pictures, a multiple of 4. Default 128. */
  inputSize?: number
  /** Hourglasses one after another, each corrects the one before. Default 2. */
  stacks?: number
  /** Channels of the feature maps, a multiple of 4. Default 112. */
  features?: number
  /** How often an hourglass halves its maps. Default 4. */
  depth?: number
  /** Heat maps. Default 68. */
  landmarks?: number
  /** Of the random weights. Default 1. */
  seed?: number
  /** Starts with zeros in place of random weights, which take longer to draw than a file takes to read: weights follow. Default false. */
  empty?: boolean
}

/** Pixels of the picture along the side of a pixel of a heat map. */
const heatmapStride = 4

type Maps = tfl.SymbolicTensor

/** Makes a stacked hourglass network that draws a heat map for each landmark, with random weights.
 *
 * The network of "How far are we from solving the 2D & 3D Face Alignment problem?" (Bulat, Tzimiropoulos, ICCV 2017): hourglasses
 * (Newell et al., ECCV 2016) of hierarchical, parallel and multi-scale blocks (Bulat, Tzimiropoulos, ICCV 2017). Each one draws heat maps, which
 * are learned from at once (`heatmapLoss` takes them all), and hands its features on together with what it drew. Theirs has
 * `{ inputSize: 256, stacks: 4, features: 256 }`.
 *
 * @returns a model that takes `[B, S, S, 3]` encoded colours, 0..1, and gives the heat maps `[B, S / 4, S / 4, L]` of each hourglass, the
 *   last being the best: an array, or one tensor for one hourglass. Heat maps are unbounded: see `decodeHeatmaps`.
 * @differentiable images, weights
 * @memory `model.dispose()` frees it. Weights: `saveLayersWeights` and `loadLayersWeights` of @facekit/core.
 * @throws {ValueError} when an option is out of range, or the maps cannot be halved so often
 * @example
 * const model = createLandmarkNetwork({ stacks: 1, features: 16, inputSize: 64 })
 * model.predict(images) // [B, 16, 16, 68]
 */
export function createLandmarkNetwork(options: LandmarkNetworkOptions = {}): tfl.LayersModel {
  const { inputSize = 128, stacks = 2, features = 112, depth = 4, landmarks = 68, seed = 1 } = options
  const { empty = false } = options
  assertInteger('createLandmarkNetwork: inputSize', inputSize, 8, 4096)
  assertInteger('createLandmarkNetwork: stacks', stacks, 1, 16)
  assertInteger('createLandmarkNetwork: features', features, 4, 4096)
  assertInteger('createLandmarkNetwork: depth', depth, 1, 8)
  assertInteger('createLandmarkNetwork: landmarks', landmarks, 1, 65536)
  assertInteger('createLandmarkNetwork: seed', seed, 0, 2 ** 31)
  const least = heatmapStride * 2 ** depth
  if (inputSize % least !== 0 || features % 4 !== 0) {
    throw new ValueError(
      `createLandmarkNetwork: inputSize is ${inputSize} and features ${features}, expected multiples of ${least} (for depth ${depth}) and of 4`,
    )
  }
  const build = new Builder(seed, empty)
  const input = tfl.input({ shape: [inputSize, inputSize, 3], name: 'image' })
  let x = tfl.layers.rescaling({ scale: 2, offset: -1, name: 'centered' }).apply(input) as Maps
  // A power of two's share of the features, so that the channels of a block's parts are whole.
  const quarter = 4 * Math.max(1, Math.round(features / 16))
  x = build.normalized(build.convolve(x, 'stem_conv', quarter, { size: 7, strides: 2 }), 'stem')
  x = build.block(x, 'stem_block1', 2 * quarter)
  x = build.halve(x, 'stem_pool')
  x = build.block(x, 'stem_block2', 2 * quarter)
  x = build.block(x, 'stem_block3', features)
  const outputs: Maps[] = []
  for (let stack = 0; stack < stacks; stack++) {
    const name = `stack${stack + 1}`
    let y = build.hourglass(x, name, depth, features)
    y = build.block(y, `${name}_top`, features)
    y = build.normalized(build.convolve(y, `${name}_last`, features), `${name}_last`)
    const heatmaps = build.convolve(y, `${name}_heatmaps`, landmarks, { bias: true })
    outputs.push(heatmaps)
    if (stack + 1 === stacks) break
    const again = build.convolve(y, `${name}_features`, features, { bias: true })
    const drawn = build.convolve(heatmaps, `${name}_drawn`, features, { bias: true })
    x = build.add([x, again, drawn], `${name}_out`)
  }
  return tfl.model({ inputs: input, outputs: stacks === 1 ? outputs[0] : outputs, name: 'hourglass' })
}

/** Makes named layers, each with a seed of its own. */
class Builder {
  constructor(
    private seed: number,
    private empty: boolean,
  ) {}

  convolve(
    x: Maps,
    name: string,
    filters: number,
    options: { size?: number; strides?: number; bias?: boolean } = {},
  ) {
    const { size: kernelSize = 1, strides = 1, bias: useBias = false } = options
    const seed = this.seed++
    const kernelInitializer = this.empty ? tfl.initializers.zeros() : tfl.initializers.heNormal({ seed })
    return tfl.layers
      .conv2d({ name, filters, kernelSize, strides, padding: 'same', useBias, kernelInitializer })
      .apply(x) as Maps
  }

  /** Batch normalisation, then the activation. */
  normalized(x: Maps, name: string): Maps {
    const y = tfl.layers.batchNormalization({ name: `${name}_norm`, momentum: 0.98, epsilon: 1e-5 }).apply(x)
    return tfl.layers.reLU({ name: `${name}_relu` }).apply(y) as Maps
  }

  halve(x: Maps, name: string): Maps {
    return tfl.layers.averagePooling2d({ name, poolSize: 2, strides: 2 }).apply(x) as Maps
  }

  add(maps: Maps[], name: string): Maps {
    return tfl.layers.add({ name }).apply(maps) as Maps
  }

  /** Three 3 x 3 convolutions of a half, a quarter and a quarter of the channels, each of the one before, side by side, added to the input. */
  block(x: Maps, name: string, channels: number): Maps {
    const parts: Maps[] = []
    let y = x
    for (const [i, share] of [2, 4, 4].entries()) {
      y = this.convolve(this.normalized(y, `${name}_${i + 1}`), `${name}_conv${i + 1}`, channels / share, {
        size: 3,
      })
      parts.push(y)
    }
    const joined = tfl.layers.concatenate({ name: `${name}_joined` }).apply(parts) as Maps
    const same = x.shape[3] === channels
    const shortcut = same ? x : this.convolve(this.normalized(x, `${name}_short`), `${name}_short`, channels)
    return this.add([joined, shortcut], `${name}_sum`)
  }

  /** Down to small maps and up again; at each size a block takes a short cut. */
  hourglass(x: Maps, name: string, depth: number, features: number): Maps {
    const level = `${name}_level${depth}`
    const across = this.block(x, `${level}_across`, features)
    let y = this.block(this.halve(x, `${level}_pool`), `${level}_down`, features)
    y = depth > 1 ? this.hourglass(y, name, depth - 1, features) : this.block(y, `${level}_inner`, features)
    y = this.block(y, `${level}_up`, features)
    const larger = tfl.layers.upSampling2d({ name: `${level}_larger`, size: [2, 2] }).apply(y) as Maps
    return this.add([across, larger], `${level}_sum`)
  }
}
