import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { decode } from 'fast-png'
import { beforeAll, describe, expect, it } from 'vitest'
import { renderRandomFace } from './index.js'

describe('02-render-a-face', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: three pictures of one face, the same for the same seed', async () => {
    const first = await renderRandomFace(1)
    const picture = decode(first)
    expect([picture.width, picture.height, picture.channels]).toEqual([1344, 448, 3])
    const at = (x: number, y: number) => picture.data.slice((y * 1344 + x) * 3, (y * 1344 + x) * 3 + 3)
    expect([...at(5, 5)]).toEqual([38, 38, 38])
    const [red, green, blue] = at(224, 224)
    expect(red).toBeGreaterThan(green)
    expect(green).toBeGreaterThan(blue)
    expect(await renderRandomFace(1)).toEqual(first)
    expect(await renderRandomFace(2)).not.toEqual(first)
  })

  it('memory: nothing but the bases of the model is left, and those once', async () => {
    await renderRandomFace(3)
    const before = tf.memory().numTensors
    await renderRandomFace(4)
    expect(tf.memory().numTensors).toBe(before)
  })
})
