import * as tf from '@tensorflow/tfjs-core'
import { assertInRange, assertInteger, assertShape, createRandom, ValueError } from '@facekit/core'
import { denseFeatures } from './dense-graph.js'
import {
  denseOutputs,
  headShapes,
  type DenseCounts,
  type DensePrediction,
  type HeadWeights,
} from './dense-outputs.js'
import { layerShapes } from './layer-shapes.js'
import { convolutionVariables, trainableOperations } from './trainable-operations.js'

/** Options of `createDenseNetwork`. */
export interface DenseNetworkOptions {
  /** N, points of the mesh: the length of the model's `denseLandmarks`. */
  points: number
  /** Points of the visible outline, found beside them. Default 17, the jaw of iBUG. */
  outline?: number
  /** K, identity coefficients of the model; 0 for none. */
  identity: number
  /** S, width and height of the pictures, a multiple of 32. Default 192. */
  inputSize?: number
  /** Factor of all channels. Default 1: 2.9 M weights. */
  width?: number
  /** Of the random weights. Default 1. */
  seed?: number
}

/** A dense landmark network in training. */
export interface DenseNetwork {
  readonly options: Readonly<Required<DenseNetworkOptions>>
  /** By names that are the same in every process, for `runTraining({ model: network })`; moving averages included. */
  readonly variables: Readonly<Record<string, tf.Variable>>
  /** Finds points, depths and identity in pictures of one face each.
   *
   * @param images - `[B, S, S, 3]` encoded, 0..1
   * @param options - `training`: normalise by the batch, and move the averages. Default false
   * @differentiable images, variables
   * @memory the caller owns the results
   * @throws {ShapeError} when the images have another size
   */
  apply(images: tf.Tensor4D, options?: { training?: boolean }): DensePrediction
  dispose(): void
}

/** Makes an untrained network for points of a mesh with depths and deviations, and for the identity of a face: inverted residuals, a decoder whose heat
 * maps give the points, and one dense layer for all else.
 *
 * Heat maps by their means (Sun et al., Integral Human Pose Regression, ECCV 2018); deviations after Wood et al., 3D Face
 * Reconstruction with Dense Landmarks, ECCV 2022. `denseLandmarkLoss` of @facekit/annotate-training is what it learns by.
 *
 * @throws {ValueError} when an option is out of range
 * @example
 * const network = createDenseNetwork({ points: model.denseLandmarks.length, identity: model.layout.identity })
 * const { positions } = network.apply(images) // [B, N + 17, 2]
 */
export function createDenseNetwork(options: DenseNetworkOptions): DenseNetwork {
  const complete = checkDenseOptions('createDenseNetwork', options)
  const { inputSize, width, seed } = complete
  const { layers, mapChannels, featureChannels } = layerShapes(inputSize, width)
  const heads = headVariables(complete, mapChannels, featureChannels, seed)
  const variables = {
    ...convolutionVariables(layers, seed),
    ...Object.fromEntries(Object.entries(heads).map(([name, variable]) => [`heads/${name}`, variable])),
  }
  return {
    options: complete,
    variables,
    apply(images, { training = false } = {}) {
      assertShape('DenseNetwork.apply: images', images, ['B', inputSize, inputSize, 3])
      return tf.tidy(() => {
        const features = denseFeatures(trainableOperations(variables, training), centered(images), width)
        return denseOutputs(features, heads as unknown as HeadWeights, complete)
      })
    },
    dispose: () => void tf.dispose(Object.values(variables)),
  }
}

/** Colours from -1 to 1. */
export const centered = (images: tf.Tensor4D): tf.Tensor4D => tf.sub(tf.mul(images, 2), 1)

/** @throws {ValueError} when an option is out of range */
export function checkDenseOptions(who: string, options: DenseNetworkOptions): Required<DenseNetworkOptions> {
  const { points, outline = 17, identity, inputSize = 192, width = 1, seed = 1 } = options
  assertInteger(`${who}: points`, points, 1, 65536)
  assertInteger(`${who}: outline`, outline, 0, 65536)
  assertInteger(`${who}: identity`, identity, 0, 65536)
  assertInteger(`${who}: inputSize`, inputSize, 32, 4096)
  assertInRange(`${who}: width`, width, 0.05, 10)
  assertInteger(`${who}: seed`, seed, 0, 2 ** 31)
  if (inputSize % 32 !== 0)
    throw new ValueError(`${who}: inputSize is ${inputSize}, expected a multiple of 32`)
  return { points, outline, identity, inputSize, width, seed }
}

function headVariables(
  counts: DenseCounts,
  mapChannels: number,
  featureChannels: number,
  seed: number,
): Record<keyof HeadWeights, tf.Variable> {
  const random = createRandom(seed + 1)
  const shapes = headShapes(counts, mapChannels, featureChannels)
  const deviations: Record<keyof HeadWeights, number> = {
    heatmaps: 0.1,
    local: 0.01,
    localBias: 0,
    dense: 0.01,
    denseBias: 0,
    spread: 0,
  }
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const deviation = deviations[name as keyof HeadWeights]
      const count = shape.reduce((product, length) => product * length, 1)
      const values = Float32Array.from({ length: count }, () => random.normal(0, deviation))
      if (name === 'denseBias') values.set(startOfDeviations(counts))
      return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape)))]
    }),
  ) as Record<keyof HeadWeights, tf.Variable>
}

/** Deviations of a network that knows nothing: a tenth of the picture for places and depths, 1 for identity. */
function startOfDeviations({ points, outline, identity }: DenseCounts): Float32Array {
  const bias = new Float32Array(3 * points + outline + 2 * identity)
  const all = points + outline
  bias.fill(Math.log(0.1), 0, all)
  bias.fill(Math.log(0.1), all + points, all + 2 * points)
  return bias
}
