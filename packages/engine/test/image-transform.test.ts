import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()
const random = createRandom(7)
const shape: [number, number, number, number] = [3, 5, 6, 2]
const pixels = Float32Array.from({ length: 180 }, () => random.normal())
const at = (picture: number, y: number, x: number, channel: number) =>
  pixels[((picture * 5 + y) * 6 + x) * 2 + channel]

/** `[1, 8]`: moves pictures. */
const shift = (x: number, y: number) => tf.tensor2d([1, 0, x, 0, 1, y, 0, 0], [1, 8])

describe.each([...testBackends, ...(webgpu ? ['webgpu'] : [])])('tf.image.transform on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(() => initEngine({ backend: 'cpu' }))

  it('value: one transform moves every picture of a batch, into another size', async () => {
    const result = tf.tidy(() =>
      tf.image.transform(tf.tensor4d(pixels, shape), shift(1, 2), 'nearest', 'constant', -9, [4, 7]),
    )
    expect(result.shape).toEqual([3, 4, 7, 2])
    const values = await result.data()
    for (let picture = 0; picture < 3; picture++)
      for (let y = 0; y < 4; y++)
        for (let x = 0; x < 7; x++)
          for (let c = 0; c < 2; c++) {
            const inside = y + 2 < 5 && x + 1 < 6
            const expected = inside ? at(picture, y + 2, x + 1, c) : -9
            expect(values[((picture * 4 + y) * 7 + x) * 2 + c]).toBe(expected)
          }
    result.dispose()
  })

  it('value: a transform for each picture, interpolated', async () => {
    const transforms = [0.25, 0.5, 0.75].flatMap((x) => [1, 0, x, 0, 1, 0.5, 0, 0])
    const result = tf.tidy(() =>
      tf.image.transform(tf.tensor4d(pixels, shape), tf.tensor2d(transforms, [3, 8]), 'bilinear', 'nearest'),
    )
    const values = await result.data()
    for (const [picture, right] of [0.25, 0.5, 0.75].entries()) {
      const line = (y: number) => (1 - right) * at(picture, y, 2, 1) + right * at(picture, y, 3, 1)
      expect(values[((picture * 5 + 1) * 6 + 2) * 2 + 1]).toBeCloseTo((line(1) + line(2)) / 2, 5)
    }
    result.dispose()
  })

  it.each(['reflect', 'wrap', 'nearest', 'constant'] as const)(
    'value: beyond the border, %s',
    async (mode) => {
      const line = tf.tensor4d([1, 2, 3, 4], [1, 1, 4, 1])
      const result = tf.tidy(() => tf.image.transform(line, shift(-3, 0), 'nearest', mode, 0, [1, 10]))
      const expected = {
        reflect: [3, 2, 1, 1, 2, 3, 4, 4, 3, 2],
        // As TensorFlow does it.
        wrap: [4, 3, 4, 1, 2, 3, 4, 1, 2, 1],
        nearest: [1, 1, 1, 1, 2, 3, 4, 4, 4, 4],
        constant: [0, 0, 0, 1, 2, 3, 4, 0, 0, 0],
      }[mode]
      expect([...(await result.data())]).toEqual(expected)
      tf.dispose([line, result])
    },
  )

  it('value: perspective, and halves round up', async () => {
    const line = tf.tensor4d([1, 2, 3, 4], [1, 1, 4, 1])
    const half = tf.tensor2d([1, 0, 0.5, 0, 1, 0, 0, 0], [1, 8])
    const wide = tf.tensor2d([2, 0, 0, 0, 1, 0, 1, 0], [1, 8])
    const results = tf.tidy(() => [
      tf.image.transform(line, half, 'nearest'),
      tf.image.transform(line, wide, 'bilinear'),
    ])
    expect([...(await results[0].data())]).toEqual([2, 3, 4, 0])
    // 2x / (x + 1) + 1.
    for (const [x, value] of [...(await results[1].data())].entries())
      expect(value).toBeCloseTo(1 + (2 * x) / (x + 1), 5)
    tf.dispose([line, half, wide, ...results])
  })
})
