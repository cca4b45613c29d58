import * as tf from '@tensorflow/tfjs-core'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import {
  interpolate,
  interpolateDerivatives,
  rasterize,
  sampleTexture,
  type TextureWrap,
} from '@facekit/rasterizer'
import { checkGradient, expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, expect, it } from 'vitest'
import { describeBackends, read, readAll } from './backends.js'

const [rows, columns, channels] = [5, 7, 3]
const size = [rows, columns] as const

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
  wrap: TextureWrap,
  [rows, columns] = size,
): number {
  const fold = (i: number, n: number) => {
    if (wrap === 'clamp') return Math.min(n - 1, Math.max(0, i))
    const turn = Math.floor(i / n)
    return wrap === 'mirror' && turn % 2 !== 0 ? n - 1 - (i - turn * n) : i - turn * n
  }
  const at = (x: number, y: number) =>
    texture[((item * rows + fold(y, rows)) * columns + fold(x, columns)) * channels + channel]
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

/** The next level of one item of a texture: means over areas, by integration of the step function that the texels are. */
function halve(texels: readonly number[], [rows, columns]: readonly [number, number]) {
  const next = [Math.max(1, rows >> 1), Math.max(1, columns >> 1)] as const
  const overlap = (n: number, m: number, i: number, k: number) =>
    Math.max(0, Math.min(((i + 1) * n) / m, k + 1) - Math.max((i * n) / m, k)) / (n / m)
  const result: number[] = []
  for (let y = 0; y < next[0]; y++) {
    for (let x = 0; x < next[1]; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0
        for (let j = 0; j < rows; j++) {
          for (let i = 0; i < columns; i++) {
            sum +=
              overlap(rows, next[0], y, j) *
              overlap(columns, next[1], x, i) *
              texels[(j * columns + i) * channels + c]
          }
        }
        result.push(sum)
      }
    }
  }
  return { texels: result, size: next }
}

/** All levels of one item. */
function pyramidOf(texels: readonly number[], size: readonly [number, number]) {
  const levels = [{ texels, size }]
  for (let last = levels[0]; Math.max(...last.size) > 1; last = levels[levels.length - 1]) {
    levels.push(halve(last.texels, last.size))
  }
  return levels
}

const wraps: readonly TextureWrap[] = ['clamp', 'repeat', 'mirror']

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

  it('value: against a float64 reference, with each wrap, shared or not', async () => {
    for (const wrap of wraps) {
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
    for (const wrap of wraps) {
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

  it('value: coordinates that are not finite give NaN, and the texture no gradient', async () => {
    const texture = tf.ones<tf.Rank.R4>([1, 2, 2, 1])
    const uv = tf.tensor4d([NaN, 0, Infinity, 0, 0, -Infinity, 1e30, -1e30], [1, 2, 2, 2])
    const gradients = tf.grads((t: tf.Tensor, x: tf.Tensor) =>
      sampleTexture(t as tf.Tensor4D, x as tf.Tensor4D),
    )([texture, uv])
    expect(Array.from(await read(() => sampleTexture(texture, uv)))).toEqual([NaN, NaN, NaN, 1])
    const [toTexture, toPlaces] = await readAll(gradients)
    expect(toTexture.reduce((sum, value) => sum + value, 0)).toBe(1)
    expect(Array.from(toPlaces, Number.isFinite)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => i > 5))
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
    expect(() => sampleTexture(texture, uv, { wrap: 'border' as 'clamp' })).toThrow(ValueError)
    expect(() => sampleTexture(texture, uv, { filter: 'cubic' as 'bilinear' })).toThrow(ValueError)
    expect(() => sampleTexture(texture, uv, { filter: 'trilinear' })).toThrow(ValueError)
    expect(() => sampleTexture(texture, uv, { filter: 'trilinear', uvDerivatives: uv })).toThrow(ShapeError)
    expect(() => sampleTexture(texture, uv, { origin: 'center' as 'lower-left' })).toThrow(ValueError)
    tf.dispose([texture, uv, three])
  })
})

describeBackends('trilinear', (backend) => {
  beforeAll(() => useBackend(backend))

  /** Look-ups at all levels, also between and beyond them, with a footprint along either axis. */
  function mipScene(textureSize: readonly [number, number], batch: number, seed: number) {
    const random = createRandom(seed)
    const uniforms = (length: number, a: number, b: number) =>
      Float32Array.from({ length }, () => random.uniform(a, b))
    const derivatives = Array.from({ length: 24 }, () => {
      const step = 2 ** random.uniform(-2, 5)
      return [0, 1, 2, 3].map((i) => (random.uniform(-1, 1) * step) / textureSize[i < 2 ? 1 : 0])
    })
    return {
      texture: tf.tensor4d(uniforms(batch * textureSize[0] * textureSize[1] * channels, -1, 1), [
        batch,
        ...textureSize,
        channels,
      ]),
      uv: tf.tensor4d(uniforms(48, -0.7, 1.8), [2, 3, 4, 2]),
      uvDerivatives: tf.tensor4d(derivatives.flat(), [2, 3, 4, 4]),
    }
  }

  it('value: levels and seams against a float64 reference, odd and even sizes, each wrap', async () => {
    let seed = 1
    for (const textureSize of [
      [5, 7],
      [8, 8],
      [6, 13],
      [1, 9],
      [3, 1],
      [1, 1],
    ] as const) {
      for (const wrap of wraps) {
        const batch = 1 + (seed % 2)
        const { texture, uv, uvDerivatives } = mipScene(textureSize, batch, seed++)
        const out = sampleTexture(texture, uv, {
          wrap,
          origin: 'upper-left',
          filter: 'trilinear',
          uvDerivatives,
        })
        const [values, texels, where, slopes] = await readAll([out, texture, uv, uvDerivatives])
        const count = textureSize[0] * textureSize[1] * channels
        const items = Array.from({ length: batch }, (_, i) =>
          pyramidOf(Array.from(texels.slice(i * count, (i + 1) * count)), textureSize),
        )
        let worst = 0
        for (let q = 0; q < 24; q++) {
          const levels = items[batch === 1 ? 0 : Math.floor(q / 12)]
          const [ux, uy, vx, vy] = slopes.slice(4 * q, 4 * q + 4)
          const texel = Math.max(
            Math.hypot(ux * textureSize[1], vx * textureSize[0]),
            Math.hypot(uy * textureSize[1], vy * textureSize[0]),
          )
          const level = Math.min(levels.length - 1, Math.max(0, Math.log2(texel)))
          const [low, part] = [Math.floor(level), level - Math.floor(level)]
          for (let k = 0; k < channels; k++) {
            const at = (l: number) => {
              const { texels: own, size: ownSize } = levels[Math.min(l, levels.length - 1)]
              return reference(own, 0, where[2 * q], where[2 * q + 1], k, wrap, ownSize)
            }
            const expected = (1 - part) * at(low) + part * at(low + 1)
            worst = Math.max(worst, Math.abs(values[channels * q + k] - expected))
          }
        }
        expect(worst).toBeLessThan(1e-5)
        tf.dispose([texture, uv, uvDerivatives, out])
      }
    }
  })

  it('value: the last level is the mean, a magnified texture is bilinear', async () => {
    const { texture, uv } = mipScene([6, 13], 1, 3)
    const at = (slope: number) =>
      sampleTexture(texture, uv, { filter: 'trilinear', uvDerivatives: tf.mul(tf.ones([2, 3, 4, 4]), slope) })
    const [coarse, fine, plain, mean] = await readAll([
      at(9),
      at(1e-3),
      sampleTexture(texture, uv),
      tf.mean(texture, [0, 1, 2]),
    ])
    coarse.forEach((value, i) => expect(value).toBeCloseTo(mean[i % channels], 5))
    expect(fine).toEqual(plain)
    const [broken] = await readAll([at(NaN)])
    expect(broken).toEqual(plain)
    tf.dispose([texture, uv])
  })

  it('gradient: texture and coordinates through two levels', async () => {
    for (const wrap of wraps) {
      const { texture, uvDerivatives } = mipScene([5, 8], 2, 6)
      const random = createRandom(9)
      // Clear of the centres of texels of all levels, where the slope jumps: eighths of a level are.
      const places = Array.from({ length: 24 }, () => [
        (random.integer(16) + 0.5 + random.uniform(-0.2, 0.2)) / 16 - 0.25,
        (random.integer(20) + 0.5 + random.uniform(-0.2, 0.2)) / 20 - 0.25,
      ])
      const uv = tf.tensor4d(places.flat(), [2, 3, 4, 2])
      await checkGradient(
        (t, x) =>
          sampleTexture(t as tf.Tensor4D, x as tf.Tensor4D, { wrap, filter: 'trilinear', uvDerivatives }),
        [texture, uv],
        { step: 1e-3 },
      )
      tf.dispose([texture, uv, uvDerivatives])
    }
  })

  it('gradient: not through uvDerivatives, whatever made them', async () => {
    const { texture, uv, uvDerivatives } = mipScene([5, 8], 1, 6)
    const loss = (x: tf.Tensor) =>
      tf.sum(
        sampleTexture(texture, x as tf.Tensor4D, {
          filter: 'trilinear',
          uvDerivatives: tf.add(uvDerivatives, tf.sum(tf.mul(x, 0))),
        }),
      )
    const gradient = tf.grad(loss)(uv)
    expect(gradient.shape).toEqual(uv.shape)
    await expectNoLeak(() => tf.tidy(() => tf.grad(loss)(uv)).dispose())
    tf.dispose([texture, uv, uvDerivatives, gradient])
  })
})

describeBackends('trilinear, seams', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: derivatives of attributes against differences of pixels, in perspective and behind the eye', async () => {
    const clip = tf.tensor3d([
      [
        [-20, 20, 0, 1],
        [-20, -30, 0, 2],
        [60, 1, -1, -1],
        [9, 9, 0, 1],
      ],
      [
        [-9, 8, 0, 2],
        [-8, -9, 0, 3],
        [12, 1, 0, 1.5],
        [1, 1, 1, 1],
      ],
    ])
    const attributes = tf.tensor2d([
      [0.2, 1],
      [0.9, -3],
      [0.4, 2],
      [0, 0],
    ])
    const triangles = Int32Array.of(0, 1, 2)
    // A much finer picture gives the differences; a smaller one for GPUs made of software.
    const fine = backend === 'webgpu' ? 40 : 400
    const step = fine / 20
    const sample = (width: number, height: number) => {
      const fragments = rasterize(clip, triangles, { width, height })
      return { fragments, picture: interpolate(attributes, fragments, triangles) }
    }
    const { fragments } = sample(5, 4)
    const derivatives = interpolateDerivatives(attributes, fragments, clip, triangles)
    expect(derivatives.shape).toEqual([2, 4, 5, 4])
    const large = sample(5 * fine, 4 * fine)
    const [values, near, ids] = await readAll([derivatives, large.picture, fragments.triangleIds])
    let covered = 0
    for (let q = 0; q < 40; q++) {
      if (ids[q] < 0) continue
      covered++
      const [item, row, column] = [Math.floor(q / 20), Math.floor((q % 20) / 5), q % 5]
      const at = (y: number, x: number, k: number) => near[((item * 4 * fine + y) * 5 * fine + x) * 2 + k]
      const [y, x] = [(row + 0.5) * fine, (column + 0.5) * fine]
      for (let k = 0; k < 2; k++) {
        const dx = ((at(y, x + step, k) - at(y, x - step, k)) * fine) / (2 * step)
        const dy = ((at(y + step, x, k) - at(y - step, x, k)) * fine) / (2 * step)
        expect(Math.abs(values[4 * q + 2 * k] - dx)).toBeLessThan(0.01 * Math.abs(dx) + 1e-3)
        expect(Math.abs(values[4 * q + 2 * k + 1] - dy)).toBeLessThan(0.01 * Math.abs(dy) + 1e-3)
      }
    }
    expect(covered).toBe(40)
    tf.dispose([
      clip,
      attributes,
      derivatives,
      large.picture,
      ...Object.values(large.fragments),
      ...Object.values(fragments),
    ])
  })

  it('throws: derivatives of wrong shapes', () => {
    const clip = tf.zeros<tf.Rank.R3>([1, 3, 4])
    const fragments = rasterize(clip, Int32Array.of(0, 1, 2), { width: 2, height: 2 })
    const [two, few] = [tf.zeros<tf.Rank.R3>([2, 3, 2]), tf.zeros<tf.Rank.R2>([2, 2])]
    expect(() => interpolateDerivatives(two, fragments, clip, Int32Array.of(0, 1, 2))).toThrow(ShapeError)
    expect(() => interpolateDerivatives(few, fragments, clip, Int32Array.of(0, 1, 2))).toThrow(ShapeError)
    tf.dispose([clip, two, few, ...Object.values(fragments)])
  })
})
