import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '@facekit/core'
import { assertHealthy } from '@facekit/engine'
import { hasWebgpu, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()
const random = createRandom(21)

/** Every way in which the shape is shared out: by thread, by rows, by columns, in one stage and in two, four numbers at a time or one. */
const cases: [number[], number[] | undefined][] = [
  [[1], undefined],
  [[7], undefined],
  [[3, 1, 1], [1]],
  [[40_003], undefined],
  [[70_000], undefined],
  [[5, 4000], [1]],
  [[2000, 3], [1]],
  [[2000, 3], [0]],
  [[9000, 4], [0]],
  [[9000, 4], undefined],
  [[33, 1500], [0]],
  [[3, 50, 7], [1]],
  [[3, 5000, 6], [1]],
  [
    [2, 9, 8, 64],
    [0, 1, 2],
  ],
  [
    [2, 9, 8, 65],
    [0, 1, 2],
  ],
  [
    [4, 7, 7, 36],
    [1, 2],
  ],
  [
    [4, 7, 3, 5],
    [0, 2],
  ],
  [
    [4, 7, 3, 5],
    [1, 3],
  ],
  [
    [2, 3, 4, 5, 6],
    [0, 2, 4],
  ],
  [[6, 5], []],
]

const offsets = (shape: number[], axes: number[]) => {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  const strides = kept.map((_, axis) =>
    axes.includes(axis) ? 0 : kept.slice(axis + 1).reduce((product, size) => product * size, 1),
  )
  return (index: number) => {
    let offset = 0
    for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
      offset += (rest % shape[axis]) * strides[axis]
      rest = Math.floor(rest / shape[axis])
    }
    return offset
  }
}

/** In float64. */
function reference(values: ArrayLike<number>, shape: number[], axes: number[], name: string): number[] {
  const at = offsets(shape, axes)
  const kept = shape.filter((_, axis) => !axes.includes(axis)).reduce((product, size) => product * size, 1)
  const start = { sum: 0, mean: 0, prod: 1, max: -Infinity, min: Infinity }[name]!
  const result = Array.from({ length: kept }, () => start)
  const combine = {
    sum: (a: number, b: number) => a + b,
    mean: (a: number, b: number) => a + b,
    prod: (a: number, b: number) => a * b,
    max: Math.max,
    min: Math.min,
  }[name]!
  for (let i = 0; i < values.length; i++) result[at(i)] = combine(result[at(i)], values[i])
  return name === 'mean' ? result.map((value) => (value * kept) / values.length) : result
}

const names = ['sum', 'mean', 'prod', 'max', 'min'] as const
const operations = { sum: tf.sum, mean: tf.mean, prod: tf.prod, max: tf.max, min: tf.min }

describe.skipIf(!webgpu)('reductions on webgpu', () => {
  beforeAll(() => useBackend('webgpu'))

  for (const [shape, axis] of cases) {
    it(`value: [${shape.join(', ')}] over ${axis ? `[${axis.join(', ')}]` : 'all'}`, async () => {
      const size = tf.util.sizeFromShape(shape)
      const axes = axis ?? shape.map((_, i) => i)
      // Far from 0, so that a sloppy sum shows; near 1 for products.
      const values = Float32Array.from({ length: size }, () => random.uniform(0.5, 1.5))
      const near = Float32Array.from(values, (value) => 1 + (value - 1) * 1e-3)
      const wrong: string[] = []
      // A software adapter takes its time for large ones.
      for (const name of size > 3000 ? (['mean', 'min'] as const) : names) {
        const input = name === 'prod' ? near : values
        const result = tf.tidy(() => operations[name](tf.tensor(input, shape), axis))
        expect(result.shape).toEqual(shape.filter((_, i) => !axes.includes(i)))
        const actual = await result.data()
        const expected = reference(input, shape, axes, name)
        expect(actual.length).toBe(expected.length)
        const tolerance = name === 'prod' ? 5e-4 : 5e-7
        for (const [i, value] of expected.entries()) {
          if (!(Math.abs(actual[i] - value) <= tolerance * Math.max(1, Math.abs(value))))
            wrong.push(`${name} ${i}: ${actual[i]}, not ${value}`)
        }
        result.dispose()
      }
      expect(wrong).toEqual([])
    })
  }

  it('value: integers, booleans, kept axes, NaN, infinities, nothing', async () => {
    const integers = tf.tensor2d([5, 3, -2, 8, 7, 1], [2, 3], 'int32')
    const sum = tf.sum(integers, 1)
    expect(sum.dtype).toBe('int32')
    expect([...(await sum.data())]).toEqual([6, 16])
    expect([...(await tf.max(integers, 0, true).data())]).toEqual([8, 7, 1])
    expect(tf.max(integers, 0, true).shape).toEqual([1, 3])
    const mean = await tf.mean(integers, [0, 1]).data()
    expect(mean[0]).toBeCloseTo(22 / 6, 6)
    expect([...(await tf.sum(tf.tensor1d([1, 0, 1, 1], 'bool')).data())]).toEqual([3])
    const special = tf.tensor2d([1, NaN, 3, -Infinity, -5, -4], [2, 3])
    expect([...(await tf.max(special, 1).data())]).toEqual([NaN, -4])
    expect([...(await tf.min(special, 1).data())]).toEqual([NaN, -Infinity])
    expect([...(await tf.max(tf.neg(tf.abs(tf.tensor1d([2, 3]))), 0).data())]).toEqual([-2])
    expect([...(await tf.sum(tf.zeros([0, 3]), 0).data())]).toEqual([0, 0, 0])
    expect((await tf.sum(tf.zeros([3, 0]), 0).data()).length).toBe(0)
    await assertHealthy()
  })

  it('value: moments of numbers with a large mean', async () => {
    const values = Float32Array.from({ length: 3000 * 8 }, (_, i) => 1000 + random.normal() * (1 + (i % 8)))
    const { mean, variance } = tf.moments(tf.tensor(values, [3000, 8]), 0)
    const expected = reference(values, [3000, 8], [0], 'mean')
    const [actual, spread] = await Promise.all([mean.data(), variance.data()])
    for (let c = 0; c < 8; c++) {
      expect(Math.abs(actual[c] - expected[c])).toBeLessThan(2e-4)
      let squares = 0
      for (let i = c; i < values.length; i += 8) squares += (values[i] - expected[c]) ** 2
      expect(Math.abs(spread[c] / (squares / 3000) - 1)).toBeLessThan(1e-5)
    }
  })
})
