import {
  assertInRange,
  assertInteger,
  createRandom,
  ModelFormatError,
  ShapeError,
  showValue,
  ValueError,
} from '@facekit/core'
import { type ParameterLayout, parameterCount } from '@facekit/parameters'
import { tensor, tidy } from '@tensorflow/tfjs-core'
import {
  initializers,
  input,
  layers,
  model as createModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers'
import type { Backbone } from './backbone.js'
import type { FaceRegressor } from './face-regressor.js'
import { apply } from './layer-helpers.js'
import { denseBackbone } from './points/dense-backbone.js'
import { mobileBackbone } from './mobile-backbone.js'
import { resnetBackbone } from './resnet-backbone.js'
import { wrapModel } from './wrap-model.js'

/** Backbones that come with the package. */
export type BackboneName = 'resnet50' | 'resnet18' | 'mobile' | 'dense'

/** Options of `createRegressor`. */
export interface CreateRegressorOptions {
  /** The paper's `'resnet50'` (23.5 M weights), `'resnet18'` (11.2 M), `'mobile'` (2 M), `'dense'` (4.8 M, for pictures of 192 pixels, see `denseBackbone`), or one of your own. Default `'resnet50'`. */
  backbone?: BackboneName | Backbone
  /** `model.layout` of the face model. */
  layout: ParameterLayout
  /** Side S of the pictures, pixels, at least 32. Default 224. */
  inputSize?: number
  /** Of the random weights. Default 0. */
  seed?: number
  /** `model.shape.expressionRange`, where the face model has one. */
  expressionRange?: readonly [number, number]
  /** How much of identity a fit should take from this network, 0..1, see `FaceRegressor.identityShare`; is stored with the weights. */
  identityShare?: number
  /** `model.name`: is stored with the weights, so that they are not used with another model's coefficients. */
  faceModel?: string
}

const BACKBONES: Record<BackboneName, () => Backbone> = {
  resnet50: () => resnetBackbone({ depth: 50 }),
  resnet18: () => resnetBackbone({ depth: 18 }),
  mobile: () => mobileBackbone(),
  dense: () => denseBackbone(),
}

export const isBackboneName = (name: string): name is BackboneName => Object.hasOwn(BACKBONES, name)

/** Finds a backbone by its name.
 *
 * @throws {ValueError} when there is none
 */
export function findBackbone(backbone: BackboneName | Backbone): Backbone {
  if (typeof backbone !== 'string') return backbone
  if (Object.hasOwn(BACKBONES, backbone)) return BACKBONES[backbone]()
  throw new ValueError(
    `createRegressor: backbone is ${showValue(backbone)}, expected ${Object.keys(BACKBONES).join(', ')}, or an object with name and build`,
  )
}

/** Makes a regressor with random weights: a backbone, the mean over the pixels, and one dense layer that starts near zero, so that every picture
 * gives about the mean face at first (see `parametersOfOutputs` for start values and ranges).
 *
 * The same seed gives the same weights on every machine.
 *
 * @memory the regressor's variables, until `dispose`
 * @throws {ValueError} when an option is out of range
 * @throws {ShapeError} when a backbone of your own does not give features
 * @example
 * const regressor = createRegressor({ backbone: 'resnet18', layout: model.layout })
 * const parameters = regressor.predict(tf.zeros([1, 224, 224, 3]))
 * parameters.pose.rotation // [1, 3]
 */
export function createRegressor(options: CreateRegressorOptions): FaceRegressor {
  const { seed = 0 } = options
  const random = createRandom(seed)
  return buildRegressor(options, () => random.integer(2 ** 31 - 1))
}

/** A regressor whose weights are about to be loaded.
 *
 * @param most - numbers that there are for its last layer
 * @throws {ModelFormatError} when it needs more, before memory is taken for them
 */
export const createEmptyRegressor = (options: CreateRegressorOptions, most: number): FaceRegressor =>
  buildRegressor(options, () => undefined, most)

function buildRegressor(
  options: CreateRegressorOptions,
  nextSeed: () => number | undefined,
  most = Infinity,
): FaceRegressor {
  const { layout, inputSize = 224, expressionRange, faceModel, identityShare } = options
  assertInteger('createRegressor: inputSize', inputSize, 32, 4096)
  if (identityShare !== undefined) assertInRange('createRegressor: identityShare', identityShare, 0, 1)
  const count = parameterCount(layout)
  const backbone = findBackbone(options.backbone ?? 'resnet50')
  if (typeof backbone?.build !== 'function' || typeof backbone.name !== 'string') {
    throw new ValueError('createRegressor: backbone has no name or no build, expected an object with both')
  }
  const images = input({ shape: [inputSize, inputSize, 3], name: 'images' })
  const features = backbone.build(normalize(images, backbone), { inputSize, nextSeed })
  const flat = flatFeatures(features, backbone)
  const needed = count * flat.shape.at(-1)!
  if (needed > most) {
    createModel({ inputs: images, outputs: flat }).dispose()
    throw new ModelFormatError(
      `createRegressor: ${count} parameters of ${flat.shape.at(-1)} features take ${needed} weights, there are ${most} numbers; the file is damaged`,
    )
  }
  const seed = nextSeed()
  const kernelInitializer =
    seed === undefined
      ? initializers.zeros()
      : // Numbers of about 0.01: see `parametersOfOutputs` for what 0 means.
        initializers.varianceScaling({ scale: 1e-4, mode: 'fanIn', distribution: 'normal', seed })
  const outputs = apply(layers.dense({ name: 'parameters', units: count, kernelInitializer }), flat)
  const model = createModel({ inputs: images, outputs, name: `regressor_${backbone.name}` })
  return wrapModel(model, {
    layout: { identity: layout.identity, expression: layout.expression, albedo: layout.albedo },
    inputSize,
    backbone: backbone.name,
    ...(faceModel !== undefined && { faceModel }),
    ...(expressionRange && { expressionRange: [expressionRange[0], expressionRange[1]] as const }),
    ...(identityShare !== undefined && { identityShare }),
  })
}

/** Pictures of 0..1 as the backbone wants them; a layer, so that the exported network takes pictures, too. */
function normalize(images: SymbolicTensor, { normalization }: Backbone): SymbolicTensor {
  const { mean, deviation } = normalization ?? { mean: [0.5, 0.5, 0.5], deviation: 0.25 }
  const layer = layers.depthwiseConv2d({
    name: 'input_scale',
    kernelSize: 1,
    depthwiseInitializer: initializers.constant({ value: 1 / deviation }),
    trainable: false,
  })
  const result = apply(layer, images)
  tidy(() => layer.setWeights([layer.getWeights()[0], tensor(mean.map((value) => -value / deviation))]))
  return result
}

function flatFeatures(features: SymbolicTensor, { name }: Backbone): SymbolicTensor {
  const known = features?.shape?.slice(1).every((size) => typeof size === 'number')
  if (known && features.rank === 2) return features
  if (known && features.rank === 4)
    return apply(layers.globalAveragePooling2d({ name: 'feature_pool' }), features)
  const found = features?.shape?.map((size) => size ?? 'B').join(', ')
  throw new ShapeError(
    `createRegressor: backbone "${name}" builds features of [${found}], expected [B, C] or [B, H, W, C]`,
  )
}
