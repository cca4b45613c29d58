import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { decode } from 'fast-png'
import { beforeAll, describe, expect, it } from 'vitest'
import { recoverPose } from './index.js'

describe('pose-recovery', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: a head that is turned away finds its way back, and each frame shows how far it is', async () => {
    const { frames, animation, angles, losses } = await recoverPose({ size: 64, iterations: 100, every: 25 })
    expect(angles[0]).toBeGreaterThan(30)
    expect(angles.at(-1)).toBeLessThan(6)
    expect(losses.at(-1)).toBeLessThan(0.05 * losses[0])
    expect(frames).toHaveLength(5)
    const difference = (frame: Uint8Array) => {
      const { width, height, data } = decode(frame)
      expect([width, height]).toEqual([192, 64])
      let sum = 0
      for (let y = 0; y < height; y++) for (let x = 3 * 128; x < 3 * 192; x++) sum += data[y * width * 3 + x]
      return sum
    }
    expect(difference(frames.at(-1)!)).toBeLessThan(0.35 * difference(frames[0]))
    expect(String.fromCharCode(...animation.subarray(0, 6))).toBe('GIF89a')
  })

  it('memory: nothing but the bases of the model is left', async () => {
    const before = tf.memory().numTensors
    await recoverPose({ size: 32, iterations: 2 })
    expect(tf.memory().numTensors).toBe(before)
  })
})
