import {
  add,
  avgPool,
  concat,
  customGrad,
  engine,
  image,
  matMul,
  maxPool,
  MaxPoolGrad,
  mean,
  mul,
  pad,
  relu,
  reshape,
  slice,
  step,
  sub,
  tidy,
  tile,
  zeros,
  type NamedAttrMap,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import { DifferentiableLayer } from './differentiable-layer.js'
import { TensorStore } from '../network-layers.js'
import type { NetworkWeights } from '../network-weights.js'

/** Width and height of the picture that the network takes. */
export const recognitionInputSize = 150

/** Length of an embedding. */
export const embeddingLength = 128

/** Says who is in a picture. */
export interface RecognitionNetwork {
  /** @param chips - `[B, 150, 150, 3]` encoded, 0..1
   * @returns `[B, 128]`; first derivatives with respect to `chips` exist */
  predict(chips: Tensor4D): Tensor2D
  dispose(): void
}

const MEAN = [122.782, 117.001, 104.298].map((value) => value / 255)

/** Names and widths of the residual blocks; a block whose name holds `down` halves the picture. */
const BLOCKS: readonly (readonly [string, number])[] = [
  ['conv32_1', 32],
  ['conv32_2', 32],
  ['conv32_3', 32],
  ['conv64_down', 64],
  ['conv64_1', 64],
  ['conv64_2', 64],
  ['conv64_3', 64],
  ['conv128_down', 128],
  ['conv128_1', 128],
  ['conv128_2', 128],
  ['conv256_down', 256],
  ['conv256_1', 256],
  ['conv256_2', 256],
  ['conv256_down_out', 256],
]

/** One residual block; `y = relu(second(middle) + skip(x))`, `middle = relu(first(x))`. */
interface Block {
  first: DifferentiableLayer
  second: DifferentiableLayer
  halves: boolean
}

/** The recognition network of dlib and face-api: a residual network of 29 convolutions.
 *
 * One custom gradient for the whole: the weights are constants, so the gradient of a filter, which the WASM backend cannot
 * compute, is never asked for, and each transposed convolution runs as an ordinary one, which is fast everywhere.
 */
export function createRecognitionNetwork(weights: NetworkWeights): RecognitionNetwork {
  const store = new TensorStore()
  const layer = (name: string, shape: [number, number, number, number], stride: 1 | 2) =>
    readScaledLayer(store, weights, name, shape, stride)
  const stem = layer('conv32_down', [7, 7, 3, 32], 2)
  let channels = 32
  const blocks = BLOCKS.map(([name, width]): Block => {
    const halves = name.includes('down')
    const first = layer(`${name}/conv1`, [3, 3, channels, width], halves ? 2 : 1)
    channels = width
    return { first, second: layer(`${name}/conv2`, [3, 3, width, width], 1), halves }
  })
  const matrix = weights.read('fc', [256, embeddingLength])
  const project = store.add<Tensor2D>(matrix, [256, embeddingLength])
  const unproject = store.add<Tensor2D>(transposed(matrix, 256, embeddingLength), [embeddingLength, 256])
  const average = store.add(Float32Array.from(MEAN), [3])

  const forward = (chips: Tensor4D) => {
    const stemmed = stem.forward(sub(chips, average) as Tensor4D, 'relu')
    let x = maxPool(stemmed, 3, 2, 'valid')
    const activations: Tensor4D[] = [stemmed, x]
    for (const block of blocks) {
      const middle = block.first.forward(x, 'relu')
      const residual = block.second.forward(middle, 'linear')
      x = relu(block.halves ? addHalved(residual, x) : add(residual, x)) as Tensor4D
      activations.push(middle, x)
    }
    return { value: matMul(mean(x, [1, 2]) as Tensor2D, project) as Tensor2D, activations }
  }

  const backward = (dy: Tensor2D, activations: Tensor4D[]) => {
    const [batch, rows, columns, width] = activations.at(-1)!.shape
    const spread = mul(matMul(dy, unproject), 1 / (rows * columns))
    let gradient = tile(reshape(spread, [batch, 1, 1, width]), [1, rows, columns, 1]) as Tensor4D
    for (let i = blocks.length - 1; i >= 0; i--) {
      const { first, second, halves } = blocks[i]
      const [x, middle, y] = activations.slice(2 * i + 1, 2 * i + 4)
      const summed = through(gradient, y)
      const residual = halves ? (slice(summed, [0, 0, 0, 0], middle.shape) as Tensor4D) : summed
      const inner = through(second.backward(residual, middle.shape), middle)
      const skipped = halves ? halvedBackward(summed, x.shape) : summed
      gradient = add(first.backward(inner, x.shape), skipped) as Tensor4D
    }
    const [stemmed, pooled] = activations
    const unpooled = engine().runKernel(MaxPoolGrad, { dy: gradient, input: stemmed, output: pooled }, {
      filterSize: [3, 3],
      strides: [2, 2],
      pad: 'valid',
    } as unknown as NamedAttrMap) as Tensor4D
    const size = recognitionInputSize
    return stem.backward(through(unpooled, stemmed), [batch, size, size, 3])
  }

  const predict = customGrad((chips, save) => {
    const { value, activations } = forward(chips as Tensor4D)
    ;(save as (tensors: Tensor[]) => void)(activations)
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => tidy(() => backward(dy as Tensor2D, saved as Tensor4D[])),
    }
  })
  return { predict: (chips) => predict(chips) as Tensor2D, dispose: () => store.dispose() }
}

/** The gradient in front of a relu whose output is `y`. */
const through = (dy: Tensor4D, y: Tensor4D): Tensor4D => mul(dy, step(y)) as Tensor4D

/** Adds the picture, halved by 2 x 2 means and widened with empty channels, to a residual that may be one pixel smaller. */
function addHalved(residual: Tensor4D, x: Tensor4D): Tensor4D {
  const halved = avgPool(x, 2, 2, 'valid')
  const [batch, rows, columns, channels] = halved.shape
  const [, height, width, wide] = residual.shape
  const widened =
    wide === channels
      ? halved
      : (concat([halved, zeros([batch, rows, columns, wide - channels])], 3) as Tensor4D)
  const padded =
    height === rows && width === columns
      ? residual
      : (pad(residual, [[0, 0], [0, rows - height], [0, columns - width], [0, 0]]) as Tensor4D) // prettier-ignore
  return add(padded, widened) as Tensor4D
}

/** The gradient of `addHalved` with respect to the picture. */
function halvedBackward(dy: Tensor4D, shape: readonly number[]): Tensor4D {
  const [batch, rows, columns] = dy.shape
  const [, height, width, channels] = shape
  const narrow = slice(dy, [0, 0, 0, 0], [batch, rows, columns, channels]) as Tensor4D
  const doubled = image.resizeNearestNeighbor(mul(narrow, 0.25) as Tensor4D, [2 * rows, 2 * columns])
  return pad(doubled, [[0, 0], [0, height - 2 * rows], [0, width - 2 * columns], [0, 0]]) as Tensor4D // prettier-ignore
}

/** A convolution followed by a scale and an offset for each channel, folded into one. */
function readScaledLayer(
  store: TensorStore,
  weights: NetworkWeights,
  name: string,
  shape: [number, number, number, number],
  stride: 1 | 2,
): DifferentiableLayer {
  const output = shape[3]
  const filter = weights.read(`${name}/conv/filters`, shape)
  const bias = weights.read(`${name}/conv/bias`, [output])
  const scale = weights.read(`${name}/scale/weights`, [output])
  const offset = weights.read(`${name}/scale/biases`, [output])
  for (let i = 0; i < filter.length; i++) filter[i] *= scale[i % output]
  for (let i = 0; i < output; i++) bias[i] = bias[i] * scale[i] + offset[i]
  return new DifferentiableLayer(store, filter, shape, bias, stride)
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)])
}
