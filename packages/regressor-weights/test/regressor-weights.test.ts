import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { loadBaseModel } from '@facekit/base-model'
import { ModelFormatError, readSafetensors } from '@facekit/core'
import { disposeParameters, neutralParameters } from '@facekit/parameters'
import { evaluateShape } from '@facekit/morphable'
import { loadPretrainedRegressor, pretrainedFaceModel } from '@facekit/regressor-weights'
import { renderFace } from '@facekit/render'
import { createTinyFace, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const file = new URL('../weights/regressor.safetensors', import.meta.url)

describe('loadPretrainedRegressor', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: the weights are for the base model, and small', async () => {
    const model = await loadBaseModel({ variant: 'learned' })
    const regressor = await loadPretrainedRegressor({ for: model })
    expect(regressor.layout).toEqual(model.layout)
    expect(regressor.faceModel).toBe(model.name)
    expect(pretrainedFaceModel).toBe(model.name)
    expect(regressor.expressionRange).toEqual(model.shape.expressionRange)
    expect((await readFile(file)).length).toBeLessThan(8e6)
    regressor.dispose()
  })

  // Fails when the base model is learned anew under the same name: then the weights must be trained anew, too.
  it('value: the coefficients are those of the base model as it is now', async () => {
    const { metadata } = readSafetensors(await readFile(file))
    const model = await readFile(
      new URL('../../base-model/data/base-model-learned.safetensors', import.meta.url),
    )
    expect(metadata.faceModelDigest).toBe(createHash('sha256').update(model).digest('hex'))
  })

  it('value: finds how a rendered face of the base model is turned', async () => {
    const model = await loadBaseModel({ variant: 'learned' })
    const regressor = await loadPretrainedRegressor({ for: model })
    const turned = neutralParameters(model.layout, 3)
    const truth = {
      ...turned,
      pose: { ...turned.pose, rotation: tf.tensor2d([[0.1, 0.4, 0], [0, 0, 0.1], [-0.1, -0.4, 0]]) }, // prettier-ignore
    }
    const { image } = renderFace(model, truth, { width: 224, height: 224, background: [0.3, 0.35, 0.4] })
    const found = regressor.predict(image)
    const difference = (a: tf.Tensor, b: tf.Tensor) =>
      tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0])
    expect(difference(found.pose.rotation, truth.pose.rotation)).toBeLessThan(0.15)
    const landmarks = (parameters: typeof found) =>
      renderFace(model, parameters, { width: 224, height: 224 }).landmarks
    const pixels = tf.tidy(
      () => tf.mean(tf.norm(tf.sub(landmarks(found), landmarks(truth)), 2, 2)).dataSync()[0],
    )
    expect(pixels).toBeLessThan(6.8)
    const shapes = tf.tidy(
      () =>
        tf
          .mean(tf.norm(tf.sub(evaluateShape(model, found), evaluateShape(model, truth)), 2, 2))
          .dataSync()[0],
    )
    expect(shapes).toBeLessThan(0.92)
    disposeParameters(found)
    regressor.dispose()
  })

  it('value: folded it predicts what the trainable one does', async () => {
    const [folded, trainable] = [
      await loadPretrainedRegressor(),
      await loadPretrainedRegressor({ trainable: true }),
    ]
    expect(folded.model.layers.length).toBeLessThan(trainable.model.layers.length)
    tf.tidy(() => {
      const image = tf.randomUniform([1, 160, 160, 3], 0, 1, 'float32', 3) as tf.Tensor4D
      const [a, b] = [folded, trainable].map((regressor) => regressor.outputs(image))
      expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(3e-5)
    })
    for (const regressor of [folded, trainable]) regressor.dispose()
  })

  it('throws: another face model, a file that is not there', async () => {
    const tiny = createTinyFace()
    await expect(loadPretrainedRegressor({ for: tiny })).rejects.toThrow(ModelFormatError)
    await expect(loadPretrainedRegressor({ for: tiny })).rejects.toThrow(/it gives 80 identity/)
    await expect(loadPretrainedRegressor({ source: '/nowhere.safetensors' })).rejects.toThrow(/cannot read/)
  })
})
