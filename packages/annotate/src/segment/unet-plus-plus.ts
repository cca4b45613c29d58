import { assertInteger, ValueError } from '@facekit/core'
import {
  initializers,
  input,
  layers,
  model,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers'

/** Shape of a U-Net++. */
export interface UnetPlusPlusOptions {
  /** Width and height of the pictures; divisible by 2 to the number of levels. Default 224. */
  inputSize?: number
  /** Channels of the levels, the finest first. The finest has half of the input's resolution. Default 16, 32, 64, 96, 160. */
  widths?: readonly number[]
  /** Number of classes. Default 19. */
  classes?: number
  /** Leaves out all nodes that only deeper outputs need: outputs 1 to `depth` remain. Default: all, one less than levels. */
  depth?: number
  /** `'training'`: convolutions with batch normalisation; `'folded'`: convolutions with a bias. Default `'training'`. */
  form?: 'training' | 'folded'
  /** Seed of the initial weights. Default 1. */
  seed?: number
  /** Starts with zeros in place of random weights, which take longer to draw than a file takes to read: weights follow. Default false. */
  empty?: boolean
}

/** A U-Net whose skip connections are dense blocks (Zhou et al. 2018, "UNet++: A Nested U-Net Architecture"), for labels of pixels.
 *
 * Node i, j (level i, column j) sees all nodes i, 0 to i, j - 1 of its level and node i + 1, j - 1 below, enlarged:
 *
 *     X(i, 0) = H(pool(X(i - 1, 0)))        X(i, j) = H([X(i, 0), ..., X(i, j - 1), up(X(i + 1, j - 1))])
 *
 * H is twice a convolution 3 x 3, batch normalisation and relu. The first convolution has a stride of 2: the finest level is half of
 * the picture's resolution, which takes a quarter of the time. Each X(0, j), j >= 1, has an output of its own (deep supervision), so that
 * the network can be cut to a smaller `depth` after training.
 *
 * @returns a model of tfjs-layers: pictures `[B, S, S, 3]` encoded, 0..1, to logits `[B, S / 2, S / 2, classes]`, one tensor for each output
 *   (a single one, no list, when `depth` is 1). Layers are named `x<level><column>-...`, the outputs' `output-<column>`.
 * @throws {ValueError} when an option is out of range
 * @example
 * const network = createUnetPlusPlus({ inputSize: 64, widths: [8, 16, 32] })
 * network.predict(tf.zeros([1, 64, 64, 3])) // [1, 32, 32, 19] twice
 */
export function createUnetPlusPlus(options: UnetPlusPlusOptions = {}): LayersModel {
  const { inputSize, widths, classes, depth, form, seed, empty } = checkUnet(options)
  let seeds = seed * 1000
  const convolve = (x: SymbolicTensor, name: string, filters: number, strides = 1): SymbolicTensor => {
    const folded = form === 'folded'
    const kernelInitializer = empty ? initializers.zeros() : initializers.heNormal({ seed: seeds++ })
    const activation = folded ? 'relu' : undefined
    const convolution = layers.conv2d({
      name,
      filters,
      kernelSize: 3,
      strides,
      padding: 'same',
      useBias: folded,
      kernelInitializer,
      activation,
    })
    const y = convolution.apply(x) as SymbolicTensor
    if (folded) return y
    const normal = layers.batchNormalization({ name: `${name}-norm`, momentum: 0.97, epsilon: 1e-3 }).apply(y)
    return layers.activation({ name: `${name}-relu`, activation: 'relu' }).apply(normal) as SymbolicTensor
  }
  const node = (level: number, column: number, x: SymbolicTensor, strides = 1): SymbolicTensor => {
    const name = `x${level}${column}`
    return convolve(convolve(x, `${name}-a`, widths[level], strides), `${name}-b`, widths[level])
  }

  const pictures = input({ name: 'pictures', shape: [inputSize, inputSize, 3] })
  const centred = layers
    .rescaling({ name: 'centred', scale: 4, offset: -2 })
    .apply(pictures) as SymbolicTensor
  const nodes: SymbolicTensor[][] = []
  const outputs: SymbolicTensor[] = []
  // Column after column, so that each output needs nothing that comes later.
  for (let level = 0; level <= depth; level++) {
    const above = nodes[level - 1]?.[0]
    const pooled = above && layers.maxPooling2d({ name: `x${level}0-pool`, poolSize: 2 }).apply(above)
    nodes.push([node(level, 0, (pooled as SymbolicTensor | undefined) ?? centred, level === 0 ? 2 : 1)])
  }
  for (let column = 1; column <= depth; column++) {
    for (let level = 0; level + column <= depth; level++) {
      const name = `x${level}${column}`
      const enlarged = layers
        .upSampling2d({ name: `${name}-up`, size: [2, 2] })
        .apply(nodes[level + 1][column - 1])
      const joined = layers
        .concatenate({ name: `${name}-join` })
        .apply([...nodes[level], enlarged as SymbolicTensor])
      nodes[level].push(node(level, column, joined as SymbolicTensor))
    }
    const output = layers.conv2d({
      name: `output-${column}`,
      filters: classes,
      kernelSize: 1,
      kernelInitializer: empty ? initializers.zeros() : initializers.glorotUniform({ seed: seeds++ }),
    })
    outputs.push(output.apply(nodes[0][column]) as SymbolicTensor)
  }
  return model({ name: 'unet-plus-plus', inputs: pictures, outputs })
}

/** The options of `createUnetPlusPlus`, complete.
 *
 * @throws {ValueError} when one is out of range
 */
export function checkUnet(options: UnetPlusPlusOptions): Required<UnetPlusPlusOptions> {
  const {
    inputSize = 224,
    widths = [16, 32, 64, 96, 160],
    classes = 19,
    form = 'training',
    seed = 1,
    empty = false,
  } = options
  if (widths.length < 2 || widths.length > 9) {
    throw new ValueError(`createUnetPlusPlus: widths has ${widths.length} levels, expected 2 to 9`)
  }
  for (const width of widths) assertInteger('createUnetPlusPlus: widths', width, 1, 4096)
  assertInteger('createUnetPlusPlus: inputSize', inputSize, 2, 4096)
  const unit = 2 ** widths.length
  if (inputSize % unit !== 0) {
    throw new ValueError(
      `createUnetPlusPlus: inputSize is ${inputSize}, expected a multiple of ${unit} for ${widths.length} levels`,
    )
  }
  assertInteger('createUnetPlusPlus: classes', classes, 2, 256)
  const { depth = widths.length - 1 } = options
  assertInteger('createUnetPlusPlus: depth', depth, 1, widths.length - 1)
  assertInteger('createUnetPlusPlus: seed', seed, 0, 1e6)
  return { inputSize, widths, classes, depth, form, seed, empty }
}
