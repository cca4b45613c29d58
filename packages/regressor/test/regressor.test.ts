import { ShapeError, ValueError } from '@facekit/core'
import { disposeParameters, neutralParameters, packParameters } from '@facekit/parameters'
import {
  createRegressor,
  foldRegressor,
  mobileBackbone,
  parametersOfOutputs,
  resnetBackbone,
} from '@facekit/regressor'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import type { SymbolicTensor } from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { tinyBackbone } from './tiny-backbone.js'

const layout = { identity: 5, expression: 3, albedo: 4 }
const noise = (shape: number[], seed = 1): tf.Tensor4D =>
  tf.randomUniform(shape as [number, number, number, number], 0, 1, 'float32', seed)
const difference = (a: tf.Tensor, b: tf.Tensor) => tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0])

describe.each(testBackends)('regressor on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: every part of the parameters, for a batch and for one picture', async () => {
    const regressor = createRegressor({ backbone: tinyBackbone, layout, inputSize: 32 })
    const check = () => {
      const batch = regressor.predict(noise([2, 32, 32, 3]))
      expect(packParameters(batch).shape).toEqual([2, 5 + 3 + 4 + 7 + 27 + 3 + 3 + 1])
      const one = regressor.predict(tf.zeros<tf.Rank.R3>([32, 32, 3]))
      expect(one.illumination.sphericalHarmonics.shape).toEqual([1, 9, 3])
    }
    check()
    await expectNoLeak(() => void tf.tidy(check))
    regressor.dispose()
  })

  it('value: random weights give about the mean face in white light', () => {
    const regressor = createRegressor({ backbone: tinyBackbone, layout, inputSize: 32 })
    tf.tidy(() => {
      const found = regressor.predict(noise([1, 32, 32, 3]))
      const neutral = neutralParameters(layout)
      expect(difference(found.identity, neutral.identity)).toBeLessThan(0.1)
      expect(difference(found.pose.rotation, neutral.pose.rotation)).toBeLessThan(0.03)
      expect(difference(found.pose.scale, neutral.pose.scale)).toBeLessThan(0.01)
      const { sphericalHarmonics, lightPosition, shininess } = found.illumination
      expect(difference(sphericalHarmonics, neutral.illumination.sphericalHarmonics)).toBeLessThan(0.05)
      expect(difference(lightPosition, neutral.illumination.lightPosition)).toBeLessThan(30)
      expect(shininess.dataSync()[0]).toBeCloseTo(15, 0)
    })
    regressor.dispose()
  })

  it('value: the same seed gives the same weights, another one others', () => {
    const outputs = [1, 1, 2].map((seed) =>
      tf.tidy(() => {
        const regressor = createRegressor({ backbone: 'mobile', layout, inputSize: 32, seed })
        const result = Array.from(regressor.outputs(noise([2, 32, 32, 3]), { training: true }).dataSync())
        regressor.dispose()
        return result
      }),
    )
    expect(outputs[0]).toEqual(outputs[1])
    expect(outputs[0]).not.toEqual(outputs[2])
  })

  it('value: ranges hold for absurd outputs', () => {
    tf.tidy(() => {
      for (const value of [-1e4, 1e4]) {
        const outputs = tf.fill([1, 12 + 41], value) as tf.Tensor2D
        const { identity, expression, pose, illumination } = parametersOfOutputs(outputs, layout)
        const far = (tensor: tf.Tensor) => tf.max(tf.abs(tensor)).dataSync()[0]
        expect(far(identity)).toBeCloseTo(4, 5)
        expect(far(expression)).toBeCloseTo(4, 5)
        expect(far(pose.rotation)).toBeCloseTo(Math.PI / 2, 5)
        expect(far(pose.translation)).toBeCloseTo(200, 3)
        expect(pose.scale.dataSync()[0]).toBeCloseTo(Math.exp(value > 0 ? 0.7 : -0.7), 4)
        expect(illumination.lightColor.dataSync()[0]).toBeGreaterThanOrEqual(0)
        expect(illumination.shininess.dataSync()[0]).toBeGreaterThanOrEqual(1)
      }
      const outputs = tf.fill([1, 53], 3) as tf.Tensor2D
      const { expression } = parametersOfOutputs(outputs, layout, { expressionRange: [0, 1] })
      expect(expression.dataSync()[0]).toBeCloseTo(0.9 + 0.3, 5)
    })
  })

  it('value: pictures of another size are interpolated', () => {
    const regressor = createRegressor({ backbone: tinyBackbone, layout, inputSize: 32 })
    tf.tidy(() => {
      const images = noise([2, 16, 16, 3])
      const large = tf.image.resizeBilinear(images, [32, 32], false, true)
      expect(difference(regressor.outputs(images), regressor.outputs(large))).toBe(0)
    })
    regressor.dispose()
  })

  it('value: predict keeps expressions in their range', () => {
    const regressor = createRegressor({
      backbone: tinyBackbone,
      layout,
      inputSize: 32,
      expressionRange: [0, 1],
    })
    tf.tidy(() => {
      const [kernel] = regressor.model.getLayer('parameters').getWeights()
      regressor.model.getLayer('parameters').setWeights([kernel, tf.fill([53], -2)])
      const images = noise([1, 32, 32, 3])
      expect(Array.from(regressor.predict(images).expression.dataSync())).toEqual([0, 0, 0])
      expect(regressor.apply(images).expression.dataSync()[0]).toBeCloseTo(-0.2, 1)
    })
    regressor.dispose()
  })

  it('gradient: parameters in outputs', async () => {
    const outputs = tf.randomNormal([2, 53], 0, 1, 'float32', 3) as tf.Tensor2D
    const f = (...[x]: tf.Tensor[]) =>
      tf.tidy(() => {
        const found = parametersOfOutputs(x as tf.Tensor2D, layout, { expressionRange: [-9, 9] })
        // Millimetres would drown the rest.
        const { lightPosition } = found.illumination
        const scaled = { ...found.illumination, lightPosition: tf.div(lightPosition, 300) as tf.Tensor2D }
        return packParameters({ ...found, illumination: scaled })
      })
    await checkGradient(f, [outputs])
    outputs.dispose()
  })

  it('gradient: a step of training lowers a loss, and moving averages follow', () => {
    const regressor = createRegressor({ backbone: tinyBackbone, layout, inputSize: 32 })
    const images = noise([4, 32, 32, 3])
    const target = tf.randomNormal([4, 5], 0, 1, 'float32', 2)
    const optimizer = tf.train.adam(0.01)
    const loss = () =>
      tf.losses.meanSquaredError(target, regressor.apply(images, { training: true }).identity) as tf.Scalar
    const average = () => regressor.model.getLayer('a_bn').getWeights()[2].dataSync()[0]
    const [before, start] = [tf.tidy(() => loss().dataSync()[0]), average()]
    for (let i = 0; i < 20; i++) optimizer.minimize(loss, false, regressor.variables)
    expect(tf.tidy(() => loss().dataSync()[0])).toBeLessThan(0.9 * before)
    expect(average()).not.toBe(start)
    // Those of the pictures' normalisation, and moving averages, are not for an optimiser.
    expect(regressor.variables).toHaveLength(8)
    optimizer.dispose()
    regressor.dispose()
    tf.dispose([images, target])
  })

  it.each([
    ['resnet18', { backbone: resnetBackbone({ depth: 18, width: 8 }) }],
    ['resnet50', { backbone: resnetBackbone({ depth: 50, width: 8 }) }],
    ['mobile', { backbone: mobileBackbone({ width: 0.25, features: 64 }) }],
    ['tiny', { backbone: tinyBackbone }],
  ])('value: %s folded predicts the same with fewer layers', (_, options) => {
    const regressor = createRegressor({ ...options, layout, inputSize: 64 })
    const images = noise([2, 64, 64, 3])
    // A step of training moves the averages away from 0 and 1.
    for (let i = 0; i < 3; i++) tf.dispose(regressor.outputs(images, { training: true }))
    const folded = foldRegressor(regressor)
    expect(folded.model.layers.some((layer) => layer.getClassName() === 'BatchNormalization')).toBe(false)
    expect(folded.model.layers.length).toBeLessThan(regressor.model.layers.length)
    tf.tidy(() => {
      const [a, b] = [regressor, folded].map((r) => r.outputs(images))
      expect(difference(a, b)).toBeLessThan(1e-5 + 1e-3 * tf.max(tf.abs(a)).dataSync()[0])
    })
    for (const r of [regressor, folded]) r.dispose()
    images.dispose()
  })

  it('throws: sizes, names and features that do not fit', () => {
    const regressor = createRegressor({ backbone: tinyBackbone, layout, inputSize: 32 })
    expect(() => regressor.predict(tf.zeros([1, 64, 32, 3]))).toThrow(ShapeError)
    expect(() => regressor.predict(tf.zeros([1, 64, 64, 1]))).toThrow(/use alignFace/)
    regressor.dispose()
    expect(() => createRegressor({ backbone: 'vgg' as never, layout })).toThrow(/resnet50, resnet18, mobile/)
    expect(() => createRegressor({ backbone: 'mobile', layout, inputSize: 8 })).toThrow(ValueError)
    expect(() => resnetBackbone({ depth: 20 as never })).toThrow(/18, 34 or 50/)
    const flat = { name: 'flat', build: (images: SymbolicTensor) => images }
    expect(() => createRegressor({ backbone: { ...flat, build: () => undefined as never }, layout })).toThrow(
      /"flat" builds features of/,
    )
  })

  it('memory: dispose frees every variable', () => {
    const before = tf.memory().numTensors
    const regressor = createRegressor({ backbone: tinyBackbone, layout, inputSize: 32 })
    disposeParameters(regressor.predict(tf.tidy(() => tf.zeros<tf.Rank.R3>([32, 32, 3]))))
    regressor.dispose()
    expect(tf.memory().numTensors).toBeLessThanOrEqual(before + 1)
  })
})
