import { assertShape, ShapeError, showValue } from '@facekit/core'
import { type ParameterLayout, parameterCount } from '@facekit/parameters'
import {
  expandDims,
  image,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  type Variable,
} from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { FaceRegressor } from './face-regressor.js'
import { cutExpression, parametersOfOutputs } from './parameter-ranges.js'

/** What is known of a regressor beside its weights. */
export interface RegressorDescription {
  layout: ParameterLayout
  inputSize: number
  backbone: string
  faceModel?: string
  expressionRange?: readonly [number, number]
  identityShare?: number
}

/** Square pictures of another size are interpolated. */
const resized = (images: Tensor4D, size: number) =>
  images.shape[1] === size ? images : image.resizeBilinear(images, [size, size], false, true)

/** Puts a regressor's functions around its network. */
export function wrapModel(model: LayersModel, description: RegressorDescription): FaceRegressor {
  const { layout, inputSize: S } = description
  const count = parameterCount(layout)
  if (model.outputs.length !== 1 || model.outputs[0].shape.join() !== [null, count].join()) {
    const found = model.outputs.map(({ shape }) => `[${shape.map((size) => size ?? 'B').join(', ')}]`)
    throw new ShapeError(
      `createRegressor: "${model.name}" gives ${found.join(' and ')}, expected [B, ${count}] for ${showValue(layout)}`,
    )
  }
  const outputs = (images: Tensor4D, { training = false } = {}): Tensor2D => {
    assertShape('FaceRegressor: images', images, ['B', 'S', 'S', 3], {}, 'use alignFace')
    return tidy(() => model.apply(resized(images, S), { training }) as Tensor2D)
  }
  return {
    model,
    ...description,
    get variables() {
      return model.trainableWeights.map((weight) => weight.read() as Variable)
    },
    outputs,
    apply: (images, options) =>
      tidy(() => parametersOfOutputs(outputs(images, options), layout, description) as never),
    predict: (images: Tensor) =>
      tidy(() => {
        const batch = (images.rank === 3 ? expandDims(images) : images) as Tensor4D
        return cutExpression(parametersOfOutputs(outputs(batch), layout, description), description) as never
      }),
    dispose: () => void model.dispose(),
  }
}
