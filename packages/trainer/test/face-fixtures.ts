import { createRandom } from '@facekit/core'
import { type FaceParameters, disposeParameters, neutralParameters } from '@facekit/parameters'
import { sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import { createRegressor, type Backbone } from '@facekit/regressor'
import { defaultCamera, renderFace } from '@facekit/render'
import { createTinyFace } from '@facekit/testing'
import type { FaceRenderings, PhotoBatch } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

export const SIZE = 48

/** Three convolutions. */
const tinyBackbone: Backbone = {
  name: 'tiny',
  build: (images, { nextSeed }) => {
    let x = images
    for (const [i, filters] of [8, 16, 16].entries()) {
      const kernelInitializer = tfl.initializers.heNormal({ seed: nextSeed() })
      x = tfl.layers
        .conv2d({
          name: `conv${i}`,
          filters,
          kernelSize: 3,
          strides: 2,
          padding: 'same',
          useBias: false,
          kernelInitializer,
        })
        .apply(x) as tfl.SymbolicTensor
      x = tfl.layers.batchNormalization({ name: `norm${i}` }).apply(x) as tfl.SymbolicTensor
      x = tfl.layers.reLU({ name: `relu${i}` }).apply(x) as tfl.SymbolicTensor
    }
    return tfl.layers.flatten({ name: 'flat' }).apply(x) as tfl.SymbolicTensor
  },
}

export const tinyModel = () =>
  createTinyFace({ rows: 13, columns: 11, identity: 3, expression: 2, albedo: 2 })

export const tinyRegressor = (model: MorphableModel) =>
  createRegressor({ backbone: tinyBackbone, layout: model.layout, inputSize: SIZE, seed: 3 })

/** Faces of the tiny model, drawn at random and rendered. */
export function tinyRenderings(model: MorphableModel, batch = 4, seed = 1): FaceRenderings {
  let index = 0
  return {
    next: () => {
      const random = createRandom(seed * 1000 + index++)
      const parameters = drawParameters(model, batch, random.integer(1e6))
      const { image, landmarks, ...rest } = renderFace(model, parameters, {
        width: SIZE,
        height: SIZE,
        camera: defaultCamera,
      })
      tf.dispose(rest as unknown as tf.TensorContainer)
      return { image, landmarks, landmarkVisibility: tf.ones([batch, 68]) as tf.Tensor2D, parameters }
    },
    state: () => index,
    restore: (state) => void (index = state as number),
  }
}

function drawParameters(model: MorphableModel, batch: number, seed: number): FaceParameters {
  const random = createRandom(seed)
  const neutral = neutralParameters(model.layout, batch)
  const { identity, expression, albedo } = neutral
  const { rotation } = neutral.pose
  tf.dispose([identity, expression, albedo, rotation])
  const angles = Float32Array.from({ length: 3 * batch }, () => random.uniform(-0.3, 0.3))
  return {
    ...neutral,
    ...sampleCoefficients(model.layout, { batch, seed, deviation: 1 }),
    pose: { ...neutral.pose, rotation: tf.tensor2d(angles, [batch, 3]) },
  }
}

/** The same as if they were labelled photographs. */
export function tinyPhotographs(model: MorphableModel, batch = 4, seed = 2): PhotoBatch {
  const parameters = drawParameters(model, batch, seed)
  const { image, mask, innerMouth, landmarks, ...rest } = renderFace(model, parameters, {
    width: SIZE,
    height: SIZE,
  })
  tf.dispose(rest as unknown as tf.TensorContainer)
  disposeParameters(parameters)
  return [image, mask, tf.clone(mask), innerMouth, landmarks]
}
