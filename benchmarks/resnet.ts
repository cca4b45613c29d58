/** ResNet-18 and ResNet-50 on plain tfjs: what the benchmarks train and run. Strides sit in the 3 x 3 convolutions; padding is
 * "same"; 257 outputs (the coefficients of a face). */
import * as tf from '@tensorflow/tfjs-core'
import { createRandom, type Random } from '@facekit/core'

export type Depth = 18 | 50

/** A convolution without bias, and the batch normalisation that follows it. */
export interface ConvLayer {
  filter: tf.Variable<tf.Rank.R4>
  scale: tf.Variable<tf.Rank.R1>
  offset: tf.Variable<tf.Rank.R1>
  stride: number
}

/** A residual block; the shortcut is a convolution where the shape changes. */
export interface Block {
  layers: ConvLayer[]
  shortcut?: ConvLayer
}

export interface ResNet {
  depth: Depth
  stem: ConvLayer
  blocks: Block[]
  weights: tf.Variable<tf.Rank.R2>
  bias: tf.Variable<tf.Rank.R1>
  variables: tf.Variable[]
}

/** Batch normalisation in training mode, then the sum with the residual, then the activation. */
export type Normalize = (
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  options: { epsilon: number; residual?: tf.Tensor4D; activation?: 'relu' },
) => tf.Tensor4D

export const epsilon = 1e-5
const outputs = 257

/** Random weights, as a network is initialised before training. */
export function createResNet(depth: Depth, seed = 1): ResNet {
  const random = createRandom(seed)
  const bottleneck = depth === 50
  const counts = bottleneck ? [3, 4, 6, 3] : [2, 2, 2, 2]
  const variables: tf.Variable[] = []
  const variable = <R extends tf.Rank>(values: tf.Tensor<R>): tf.Variable<R> => {
    const made = tf.variable(values)
    values.dispose()
    variables.push(made as tf.Variable)
    return made
  }
  const layer = (size: number, inputs: number, filters: number, stride: number, gain = 1): ConvLayer => ({
    filter: variable(
      normals<tf.Rank.R4>(random, [size, size, inputs, filters], Math.sqrt(2 / (size * size * inputs))),
    ),
    scale: variable(tf.mul(tf.ones([filters]), gain) as tf.Tensor1D),
    offset: variable(tf.zeros<tf.Rank.R1>([filters])),
    stride,
  })
  const stem = layer(7, 3, 64, 2)
  const blocks: Block[] = []
  let channels = 64
  for (const [stage, count] of counts.entries()) {
    const width = 64 * 2 ** stage
    const expanded = bottleneck ? width * 4 : width
    for (let i = 0; i < count; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1
      const layers = bottleneck
        ? [
            layer(1, channels, width, 1),
            layer(3, width, width, stride),
            // Small, so that the sums over the blocks stay small without statistics, too.
            layer(1, width, expanded, 1, 0.3),
          ]
        : [layer(3, channels, width, stride), layer(3, width, width, 1, 0.3)]
      const shortcut =
        stride > 1 || channels !== expanded ? layer(1, channels, expanded, stride, 0.7) : undefined
      blocks.push({ layers, shortcut })
      channels = expanded
    }
  }
  const weights = variable(normals<tf.Rank.R2>(random, [channels, outputs], Math.sqrt(1 / channels)))
  const bias = variable(tf.zeros<tf.Rank.R1>([outputs]))
  return { depth, stem, blocks, weights, bias, variables }
}

function normals<R extends tf.Rank>(random: Random, shape: tf.ShapeMap[R], deviation: number): tf.Tensor<R> {
  const values = new Float32Array(tf.util.sizeFromShape(shape))
  for (let i = 0; i < values.length; i++) values[i] = random.normal(0, deviation)
  return tf.tensor(values, shape)
}

/** What one writes with tfjs' own operations. */
export const plainNormalize: Normalize = (x, scale, offset, { epsilon, residual, activation }) =>
  tf.tidy(() => {
    const { mean, variance } = tf.moments(x, [0, 1, 2])
    const y = tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, offset, scale, epsilon)
    const sum = residual ? tf.add(y, residual) : y
    return (activation ? tf.relu(sum) : sum) as tf.Tensor4D
  })

/** Forward in training mode: batch normalisation by the statistics of the batch.
 *
 * @param images - `[B, H, W, 3]`
 * @returns `[B, 257]`
 */
export function forward(net: ResNet, images: tf.Tensor4D, normalize: Normalize): tf.Tensor2D {
  return tf.tidy(() => {
    const apply = (x: tf.Tensor4D, layer: ConvLayer, activation?: 'relu', residual?: tf.Tensor4D) =>
      normalize(tf.conv2d(x, layer.filter, layer.stride, 'same'), layer.scale, layer.offset, {
        epsilon,
        activation,
        residual,
      })
    let x = tf.maxPool(apply(images, net.stem, 'relu'), 3, 2, 'same')
    for (const { layers, shortcut } of net.blocks) {
      const residual = shortcut ? apply(x, shortcut) : x
      for (const [i, layer] of layers.entries())
        x = apply(x, layer, 'relu', i === layers.length - 1 ? residual : undefined)
    }
    return head(net, x)
  })
}

function head(net: { weights: tf.Tensor2D; bias: tf.Tensor1D }, x: tf.Tensor4D): tf.Tensor2D {
  return tf.add(tf.matMul(tf.mean(x, [1, 2]) as tf.Tensor2D, net.weights), net.bias)
}

/** A convolution with its batch normalisation folded into filter and bias. */
export interface FoldedLayer {
  filter: tf.Tensor4D
  bias: tf.Tensor1D
  stride: number
}

/** A network to run: as every runtime folds it when it loads one. */
export interface FoldedResNet {
  depth: Depth
  stem: FoldedLayer
  blocks: { layers: FoldedLayer[]; shortcut?: FoldedLayer }[]
  weights: tf.Tensor2D
  bias: tf.Tensor1D
}

/** Folds batch normalisation with fixed statistics (drawn at random) into the filters. */
export function foldResNet(net: ResNet, seed = 2): FoldedResNet {
  const random = createRandom(seed)
  const fold = ({ filter, scale, offset, stride }: ConvLayer): FoldedLayer => {
    const channels = filter.shape[3]
    const drawn = (next: () => number) => tf.tensor1d(Float32Array.from({ length: channels }, next))
    const [mean, variance] = [drawn(() => random.normal(0, 0.1)), drawn(() => random.uniform(0.8, 1.2))]
    const [factor, bias] = tf.tidy(() => {
      const factor = tf.div(scale, tf.sqrt(tf.add(variance, epsilon)))
      return [factor, tf.sub(offset, tf.mul(mean, factor)) as tf.Tensor1D]
    })
    const folded = tf.mul(filter, factor) as tf.Tensor4D
    tf.dispose([mean, variance, factor])
    return { filter: folded, bias, stride }
  }
  return {
    depth: net.depth,
    stem: fold(net.stem),
    blocks: net.blocks.map(({ layers, shortcut }) => ({
      layers: layers.map(fold),
      shortcut: shortcut && fold(shortcut),
    })),
    weights: net.weights,
    bias: net.bias,
  }
}

/** Forward of a folded network.
 *
 * @param images - `[B, H, W, 3]`
 * @returns `[B, 257]`
 */
export function infer(net: FoldedResNet, images: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    const apply = (x: tf.Tensor4D, { filter, bias, stride }: FoldedLayer, activation?: 'relu') =>
      tf.fused.conv2d({ x, filter, bias, strides: stride, pad: 'same', activation }) as tf.Tensor4D
    let x = tf.maxPool(apply(images, net.stem, 'relu'), 3, 2, 'same')
    for (const { layers, shortcut } of net.blocks) {
      const residual = shortcut ? apply(x, shortcut) : x
      for (const [i, layer] of layers.entries()) {
        const last = i === layers.length - 1
        x = apply(x, layer, last ? undefined : 'relu')
        if (last) x = tf.relu(tf.add(x, residual))
      }
    }
    return head(net, x)
  })
}

/** Random pictures. */
export function createImages(batch: number, size: number, seed = 3): tf.Tensor4D {
  return normals(createRandom(seed), [batch, size, size, 3], 1)
}
