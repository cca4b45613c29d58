import { createFaceNet, loadFaceNet, saveFaceNet } from '@facekit/annotate'
import { ModelFormatError, ShapeError, ValueError, writeSafetensors } from '@facekit/core'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const tiny = { inputSize: 16, widths: [4, 6], blocks: 1, length: 8 }

describe.each(testBackends)('facenet on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: embeddings have length 1, whatever the size of the crops', async () => {
    const net = createFaceNet(tiny)
    for (const size of [16, 40, 224]) {
      const images = tf.randomUniform([3, size, size, 3], 0, 1, 'float32', 2) as tf.Tensor4D
      const result = net.embed(images)
      expect(result.shape).toEqual([3, net.length])
      const lengths = tf.norm(result, 2, 1)
      for (const length of await lengths.data()) expect(length).toBeCloseTo(1, 5)
      tf.dispose([images, result, lengths])
    }
    net.dispose()
  })

  it('value: the same seed gives the same network, and a file gives it back', async () => {
    const images = tf.randomUniform([2, 16, 16, 3], 0, 1, 'float32', 2) as tf.Tensor4D
    const [net, same, other] = [createFaceNet(tiny), createFaceNet(tiny), createFaceNet({ ...tiny, seed: 2 })]
    const loaded = loadFaceNet(await saveFaceNet(net))
    const [a, b, c, d] = [net, same, other, loaded].map((each) => each.embed(images))
    const numbers = Array.from(await a.data())
    expect(Array.from(await b.data())).toEqual(numbers)
    expect(Array.from(await d.data())).toEqual(numbers)
    expect(Array.from(await c.data())).not.toEqual(numbers)
    expect(loaded.options).toEqual(net.options)
    tf.dispose([images, a, b, c, d])
    for (const each of [net, same, other, loaded]) each.dispose()
  })

  it('gradient: with respect to the picture', async () => {
    const net = createFaceNet({ ...tiny, widths: [4] })
    const images = tf.randomUniform([2, 16, 16, 3], 0.2, 0.8, 'float32', 5)
    // The network is piecewise smooth: small steps, and some tolerance for its kinks.
    await checkGradient((x) => net.embed(x as tf.Tensor4D), [images], {
      step: 2e-3,
      relativeTolerance: 0.05,
      absoluteTolerance: 0.03,
    })
    images.dispose()
    net.dispose()
  })

  it('memory: embedding leaves nothing but the result', async () => {
    const net = createFaceNet(tiny)
    const images = tf.ones([1, 32, 32, 3]) as tf.Tensor4D
    await expectNoLeak(() => net.embed(images).dispose())
    images.dispose()
    net.dispose()
  })
})

describe('facenet files and options', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: damaged and foreign files, impossible networks', async () => {
    const bytes = await saveFaceNet(createFaceNet(tiny))
    expect(() => loadFaceNet(bytes.subarray(0, 300))).toThrow(ModelFormatError)
    expect(() => loadFaceNet(writeSafetensors({ metadata: {}, tensors: new Map() }))).toThrow(
      /facekit-facenet/,
    )
    const metadata = { format: 'facekit-facenet', version: '1', network: '{"inputSize":17}' }
    expect(() => loadFaceNet(writeSafetensors({ metadata, tensors: new Map() }))).toThrow(ModelFormatError)
    expect(() => createFaceNet({ inputSize: 20, widths: [4, 4] })).toThrow(ValueError)
    expect(() => createFaceNet({ widths: [] })).toThrow(ValueError)
    const images = tf.zeros([1, 8, 8, 3]) as tf.Tensor4D
    expect(() => createFaceNet(tiny).embed(images)).toThrow(ShapeError)
  })
})
