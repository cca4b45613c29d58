import { createHourglass } from '@facekit/annotate'
import { heatmapLoss } from '@facekit/annotate-training'
import { testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

describe.each(testBackends)('an hourglass network on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: learns where a bright dot is', async () => {
    const hourglass = createHourglass({ inputSize: 32, stacks: 2, features: 8, depth: 2, landmarks: 1 })
    const places = [6, 10, 14, 22, 26, 18, 10, 26]
    const pixels = new Float32Array(4 * 32 * 32 * 3)
    for (let i = 0; i < 4; i++) {
      for (let k = 0; k < 16; k++) {
        const [x, y] = [places[2 * i] - 2 + (k % 4), places[2 * i + 1] - 2 + (k >> 2)]
        pixels.fill(1, ((i * 32 + y) * 32 + x) * 3, ((i * 32 + y) * 32 + x) * 3 + 3)
      }
    }
    const images = tf.tensor4d(pixels, [4, 32, 32, 3])
    const points = tf.tensor3d(places, [4, 1, 2])
    const optimizer = tf.train.adam(0.01)
    const loss = () => heatmapLoss(hourglass.apply(images, { training: true }), points, { distance: 0.5 })
    const losses: number[] = []
    for (let i = 0; i < (backend === 'cpu' ? 8 : 60); i++) {
      const value = optimizer.minimize(loss, true)!
      losses.push((await value.data())[0])
      value.dispose()
    }
    expect(losses.at(-1)).toBeLessThan((backend === 'cpu' ? 0.9 : 0.6) * losses[0])
    tf.dispose([images, points])
    optimizer.dispose()
    hourglass.dispose()
  })
})
