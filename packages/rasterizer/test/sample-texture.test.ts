import * as tf from '@tensorflow/tfjs-core'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { sampleTexture } from '@facekit/rasterizer'
import { checkGradient, expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, expect, it } from 'vitest'
import { describeBackends, read, readAll } from './backends.js'

const [rows, columns, channels] = [5, 7, 3]

function scene(batch: number, low: number, high: number) {
  const random = createRandom(2)
  const values = (size: number, a: number, b: number) =>
    Float32Array.from({ length: size }, () => random.uniform(a, b))
  return {
    texture: tf.tensor4d(values(batch * rows * columns * channels, -1, 1), [batch, rows, columns, channels]),
    uv: tf.tensor4d(values(2 * 6 * 4 * 2, low, high), [2, 6, 4, 2]),
  }
}

function reference(
  texture: ArrayLike<number>,
  item: number,
  u: number,
  v: number,
  channel: number,
  wrap: 'clamp' | 'repeat',
): number {
  const at = (x: number, y: number) => {
    const fold = (i: number, n: number) =>
      wrap === 'clamp' ? Math.min(n - 1, Math.max(0, i)) : ((i % n) + n) % n
    return texture[((item * rows + fold(y, rows)) * columns + fold(x, columns)) * channels + channel]
  }
  const [x, y] = [u * columns - 0.5, v * rows - 0.5]
  const [i, j] = [Math.floor(x), Math.floor(y)]
  const [s, t] = [x - i, y - j]
  return (
    at(i, j) * (1 - s) * (1 - t) +
    at(i + 1, j) * s * (1 - t) +
    at(i, j + 1) * (1 - s) * t +
    at(i + 1, j + 1) * s * t
  )
}

describeBackends('sampleTexture', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: texel centres are exact, and v goes up or down', async () => {
    const texture = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])
    const uv = tf.tensor4d([0.25, 0.25, 0.75, 0.25, 0.25, 0.75, 0.5, 0.5], [1, 2, 2, 2])
    const readWith = (origin: 'lower-left' | 'upper-left') =>
      read(() => sampleTexture(texture, uv, { origin })).then((values) => Array.from(values))
    expect(await readWith('upper-left')).toEqual([1, 2, 3, 2.5])
    expect(await readWith('lower-left')).toEqual([3, 4, 1, 2.5])
    tf.dispose([texture, uv])
  })

  it('value: against a float64 reference, clamped and repeated, shared or not', async () => {
    for (const wrap of ['clamp', 'repeat'] as const) {
      for (const batch of [1, 2]) {
        const { texture, uv } = scene(batch, -1.5, 2.5)
        const out = sampleTexture(texture, uv, { wrap, origin: 'upper-left' })
        const [values, texels, where] = await readAll([out, texture, uv])
        let worst = 0
        for (let q = 0; q < 48; q++) {
          for (let k = 0; k < channels; k++) {
            const item = batch === 1 ? 0 : Math.floor(q / 24)
            const expected = reference(texels, item, where[2 * q], where[2 * q + 1], k, wrap)
            worst = Math.max(worst, Math.abs(values[channels * q + k] - expected))
          }
        }
        expect(worst).toBeLessThan(1e-5)
        tf.dispose([texture, uv, out])
      }
    }
  })

  it('gradient: texture and coordinates', async () => {
    // Coordinates that stay clear of texel centres, where the slope jumps.
    const random = createRandom(4)
    const uv = tf.tensor4d(
      Array.from({ length: 24 }, () => [
        (random.integer(9) - 1 + random.uniform(0.1, 0.9) + 0.5) / columns,
        (random.integer(7) - 1 + random.uniform(0.1, 0.9) + 0.5) / rows,
      ]).flat(),
      [2, 4, 3, 2],
    )
    for (const wrap of ['clamp', 'repeat'] as const) {
      for (const origin of ['lower-left', 'upper-left'] as const) {
        for (const batch of [1, 2]) {
          const { texture } = scene(batch, 0, 1)
          await checkGradient(
            (t, x) => sampleTexture(t as tf.Tensor4D, x as tf.Tensor4D, { wrap, origin }),
            [texture, uv],
            { step: 5e-3 },
          )
          texture.dispose()
        }
      }
    }
    uv.dispose()
  })

  it('value: coordinates that are not finite give 0', async () => {
    const texture = tf.ones<tf.Rank.R4>([1, 2, 2, 1])
    const uv = tf.tensor4d([NaN, 0, Infinity, 0, 0, -Infinity, 1e30, -1e30], [1, 2, 2, 2])
    const gradients = tf.grads((t: tf.Tensor, x: tf.Tensor) =>
      sampleTexture(t as tf.Tensor4D, x as tf.Tensor4D),
    )([texture, uv])
    expect(Array.from(await read(() => sampleTexture(texture, uv)))).toEqual([0, 0, 0, 1])
    for (const gradient of gradients)
      expect((await gradient.data()).every((v) => Number.isFinite(v))).toBe(true)
    tf.dispose([texture, uv, ...gradients])
  })

  it('memory: nothing is left behind', async () => {
    const { texture, uv } = scene(1, 0, 1)
    await expectNoLeak(() =>
      tf.dispose(
        tf.grads((t: tf.Tensor, x: tf.Tensor) => tf.sum(sampleTexture(t as tf.Tensor4D, x as tf.Tensor4D)))([
          texture,
          uv,
        ]),
      ),
    )
    tf.dispose([texture, uv])
  })

  it('throws: wrong shapes and options', () => {
    const { texture, uv } = scene(2, 0, 1)
    const three = tf.zeros<tf.Rank.R4>([3, 2, 2, 1])
    expect(() => sampleTexture(three, uv)).toThrow(ShapeError)
    expect(() => sampleTexture(texture, texture)).toThrow(ShapeError)
    expect(() => sampleTexture(texture, uv, { wrap: 'mirror' as 'clamp' })).toThrow(ValueError)
    expect(() => sampleTexture(texture, uv, { origin: 'center' as 'lower-left' })).toThrow(ValueError)
    tf.dispose([texture, uv, three])
  })
})
