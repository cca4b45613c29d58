import * as tf from '@tensorflow/tfjs-core'
import { checkGradient, createTinyFace, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { createRandom } from '@facekit/core'
import {
  disposeModel,
  evaluateAlbedo,
  evaluateShape,
  gatherVertices,
  landmarkPositions,
  type MorphableModel,
} from '@facekit/morphable'
import type { NdArray } from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace({ rows: 13, columns: 11 })

const coefficients = (shape: [number, number], seed: number) => {
  const random = createRandom(seed)
  return tf.tensor2d(
    Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
    shape,
  )
}

/** mean + sum of coefficient times mode, in float64. */
function reference(
  mean: NdArray<Float32Array>,
  bases: [NdArray<Float32Array>, ArrayLike<number>][],
): number[] {
  const result = Array.from(mean.data, Number)
  for (const [basis, weights] of bases) {
    for (let k = 0; k < basis.shape[0]; k++) {
      for (let i = 0; i < result.length; i++) result[i] += weights[k] * basis.data[k * result.length + i]
    }
  }
  return result
}

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
  expect(actual.length).toBe(expected.length)
  let worst = 0
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]))
  expect(worst).toBeLessThanOrEqual(tolerance)
}

describe.each([...testBackends, 'device'])('evaluation on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('smoke: zero coefficients give the mean', async () => {
    const shape = evaluateShape(model, { identity: tf.zeros([1, 6]), expression: tf.zeros([1, 4]) })
    expect(shape.shape).toEqual([1, model.vertexCount, 3])
    expectClose(await shape.data(), model.shape.mean.data, 0)
  })

  it('value: shape equals the sum in float64, each picture its own', async () => {
    const identity = coefficients([2, 6], 1)
    const expression = coefficients([2, 4], 2)
    const shape = await evaluateShape(model, { identity, expression }).data()
    for (let b = 0; b < 2; b++) {
      const expected = reference(model.shape.mean, [
        [model.shape.identity, (await identity.data()).subarray(b * 6)],
        [model.shape.expression, (await expression.data()).subarray(b * 4)],
      ])
      expectClose(shape.subarray(b * expected.length, (b + 1) * expected.length), expected, 5e-5)
    }
  })

  it('value: albedo equals the sum in float64, one set of coefficients for both', async () => {
    const albedo = coefficients([1, 5], 3)
    const { diffuse, specular } = evaluateAlbedo(model, albedo)
    const weights = await albedo.data()
    const { diffuseMean, specularMean } = model.albedo
    expectClose(await diffuse.data(), reference(diffuseMean, [[model.albedo.diffuse, weights]]), 1e-6)
    expectClose(await specular.data(), reference(specularMean, [[model.albedo.specular, weights]]), 1e-6)
  })

  it('value: a model without expression modes, and one without any', async () => {
    const none = { ...model.shape.expression, shape: [0, model.vertexCount, 3] } as NdArray<Float32Array>
    const still: MorphableModel = {
      ...model,
      shape: { ...model.shape, expression: none },
      layout: { ...model.layout, expression: 0 },
    }
    const identity = coefficients([2, 6], 1)
    const expected = evaluateShape(model, { identity, expression: tf.zeros([2, 4]) })
    const actual = evaluateShape(still, { identity, expression: tf.zeros([2, 0]) })
    expectClose(await actual.data(), await expected.data(), 1e-5)
    const rigid: MorphableModel = {
      ...still,
      shape: { ...still.shape, identity: none },
      layout: { ...still.layout, identity: 0 },
    }
    const mean = evaluateShape(rigid, { identity: tf.zeros([2, 0]), expression: tf.zeros([2, 0]) })
    expect(mean.shape).toEqual([2, model.vertexCount, 3])
    disposeModel(still)
    disposeModel(rigid)
  })

  it('value: views with strides are read in their own order', async () => {
    const { identity } = model.shape
    const strided: MorphableModel = { ...model, shape: { ...model.shape, identity: identity.step(-1, 1, 1) } }
    const weights = coefficients([1, 6], 4)
    const expression = tf.zeros([1, 4]) as tf.Tensor2D
    const expected = evaluateShape(model, { identity: tf.reverse(weights, 1), expression })
    const actual = evaluateShape(strided, { identity: weights, expression })
    expectClose(await actual.data(), await expected.data(), 1e-5)
    disposeModel(strided)
  })

  it('gradient: shape and albedo with respect to their coefficients', async () => {
    await checkGradient(
      (identity, expression) =>
        evaluateShape(model, { identity: identity as tf.Tensor2D, expression: expression as tf.Tensor2D }),
      [coefficients([2, 6], 1), coefficients([2, 4], 2)],
    )
    await checkGradient(
      (albedo) => {
        const { diffuse, specular } = evaluateAlbedo(model, albedo as tf.Tensor2D)
        return tf.concat([diffuse, specular], 1)
      },
      [coefficients([2, 5], 3)],
    )
  })

  it('value: landmark positions are the vertices of the landmarks', async () => {
    const vertices = evaluateShape(model, { identity: tf.zeros([2, 6]), expression: tf.zeros([2, 4]) })
    const landmarks = landmarkPositions(vertices, model)
    expect(landmarks.shape).toEqual([2, 68, 3])
    const expected = [...model.landmarks].flatMap((vertex) =>
      [0, 1, 2].map((axis) => model.shape.mean.get(vertex, axis)),
    )
    expectClose(await landmarks.data(), [...expected, ...expected], 0)
  })

  it('gradient: gathered vertices, also repeated and of each picture', async () => {
    const vertices = tf.reshape(coefficients([2, 15], 5), [2, 5, 3])
    await checkGradient((v) => gatherVertices(v as tf.Tensor3D, Int32Array.of(0, 4, 4, 1)), [vertices])
    await checkGradient(
      (v) => gatherVertices(v as tf.Tensor3D, [Int32Array.of(0, 0), Int32Array.of(3, 0)]),
      [vertices],
    )
  })

  it('throws: coefficients that do not fit, indices that are not there', () => {
    const expression = tf.zeros([1, 4]) as tf.Tensor2D
    expect(() => evaluateShape(model, { identity: tf.zeros([1, 80]), expression })).toThrow(
      'evaluateShape: identity is [1, 80], model "tiny-face" needs [B, 6]; pass coefficients that fit model.layout',
    )
    expect(() => evaluateShape(model, { identity: tf.zeros([2, 6]), expression })).toThrow(
      'evaluateShape: expression is [1, 4], model "tiny-face" needs [B=2, 4]',
    )
    expect(() => evaluateAlbedo(model, tf.zeros([5]) as unknown as tf.Tensor2D)).toThrow('needs [B, 5]')
    expect(() => gatherVertices(tf.zeros([1, 5, 3]), Int32Array.of(5))).toThrow('index 5 is no vertex')
    expect(() => gatherVertices(tf.zeros([2, 5, 3]), [Int32Array.of(1)])).toThrow('expected 2 arrays')
    expect(() => landmarkPositions(tf.zeros([1, 5, 3]), model)).toThrow('landmarkPositions: vertices')
  })

  it('memory: no tensor is left but the bases, and those go with the model', async () => {
    const before = tf.memory().numTensors
    const own = { ...model }
    await expectNoLeak(() =>
      tf.tidy(() => {
        const gradient = tf.grad((x: tf.Tensor) =>
          tf.sum(
            landmarkPositions(
              evaluateShape(own, { identity: x as tf.Tensor2D, expression: tf.zeros([1, 4]) }),
              own,
            ),
          ),
        )
        void gradient(tf.zeros([1, 6]))
        void evaluateAlbedo(own, tf.zeros([1, 5]))
      }),
    )
    disposeModel(own)
    expect(tf.memory().numTensors).toBe(before)
  })
})
