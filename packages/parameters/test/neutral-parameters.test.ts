import * as tf from '@tensorflow/tfjs-core'
import { ValueError } from '@facekit/core'
import { disposeParameters, neutralParameters, parameterTensors } from '@facekit/parameters'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const layout = { identity: 4, expression: 3, albedo: 2 }

describe.each(testBackends)('neutralParameters on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: as many rows as asked for', () => {
    const shapes = parameterTensors(neutralParameters(layout, 2)).map(({ shape }) => shape)
    expect(shapes).toEqual([
      [2, 4],
      [2, 3],
      [2, 2],
      [2, 3],
      [2, 3],
      [2, 1],
      [2, 9, 3],
      [2, 3],
      [2, 3],
      [2, 1],
    ])
  })

  it('value: the mean face at the origin in white light of irradiance 1', async () => {
    const { identity, pose, illumination } = neutralParameters(layout, 2)
    expect([...(await identity.data())]).toEqual(Array(8).fill(0))
    expect([...(await pose.rotation.data())]).toEqual(Array(6).fill(0))
    expect([...(await pose.translation.data())]).toEqual(Array(6).fill(0))
    expect([...(await pose.scale.data())]).toEqual([1, 1])
    const light = await illumination.sphericalHarmonics.data()
    for (let i = 0; i < light.length; i++) {
      // Y(0,0) = 0.2820948 for each channel; nothing from a direction.
      expect(light[i] * 0.2820948).toBeCloseTo(i % 27 < 3 ? 1 : 0, 6)
    }
    expect((await illumination.shininess.data())[1]).toBeGreaterThanOrEqual(1)
    expect((await illumination.lightPosition.data())[2]).toBeGreaterThan(0)
  })

  it('throws: on a batch or a layout that is none', () => {
    expect(() => neutralParameters(layout, 0)).toThrow('neutralParameters: batch is 0')
    expect(() => neutralParameters(layout, 1.5)).toThrow(ValueError)
    expect(() => neutralParameters({ ...layout, albedo: -1 })).toThrow('layout.albedo is -1')
    expect(() => neutralParameters(undefined as never)).toThrow(ValueError)
  })

  it('memory: all tensors are results, and disposeParameters frees them', async () => {
    await expectNoLeak(() => disposeParameters(neutralParameters(layout, 3)))
    const before = tf.memory().numTensors
    const parameters = neutralParameters(layout)
    expect(tf.memory().numTensors - before).toBe(10)
    disposeParameters(parameters)
  })
})
