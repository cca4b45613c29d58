import { createRandom, restoreRandom, ValueError } from '@facekit/core'
import { describe, expect, it } from 'vitest'

const draw = <T>(count: number, next: () => T) => Array.from({ length: count }, next)
const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length

describe('createRandom', () => {
  it('value: the same seed gives the same stream, another another', () => {
    const stream = (seed: number) => {
      const random = createRandom(seed)
      return [random.uniform(), random.normal(), random.integer(1000), ...random.shuffle([1, 2, 3, 4, 5])]
    }
    expect(stream(7)).toEqual(stream(7))
    expect(stream(7)).not.toEqual(stream(8))
    expect(stream(0)).not.toEqual(stream(0xffffffff))
  })

  it('value: uniform numbers fill their range', () => {
    const random = createRandom(1)
    const values = draw(20_000, () => random.uniform(-2, 6))
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2)
    expect(Math.max(...values)).toBeLessThan(6)
    expect(Math.abs(mean(values) - 2)).toBeLessThan(0.06)
  })

  it('value: normal numbers have mean, deviation and the tails of a normal distribution', () => {
    const random = createRandom(2)
    const values = draw(50_000, () => random.normal(3, 2))
    expect(Math.abs(mean(values) - 3)).toBeLessThan(0.04)
    const deviation = Math.sqrt(mean(values.map((value) => (value - 3) ** 2)))
    expect(Math.abs(deviation - 2)).toBeLessThan(0.03)
    const beyond = values.filter((value) => Math.abs(value - 3) > 4).length / values.length
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.004)
    expect(values.every(Number.isFinite)).toBe(true)
  })

  it('value: whole numbers reach each value and no other', () => {
    const random = createRandom(3)
    const values = draw(2000, () => random.integer(5))
    expect([...new Set(values)].toSorted()).toEqual([0, 1, 2, 3, 4])
  })

  it('value: shuffle keeps the items and its argument', () => {
    const items = Array.from({ length: 50 }, (_, i) => i)
    const before = [...items]
    const shuffled = createRandom(4).shuffle(items)
    expect(items).toEqual(before)
    expect(shuffled).not.toEqual(items)
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items)
  })

  it('value: a stream goes on from its state, also between the two normal numbers of a pair', () => {
    const random = createRandom(5)
    draw(7, () => random.normal())
    const state = JSON.parse(JSON.stringify(random.state()))
    const next = (stream: typeof random) => [
      stream.normal(),
      stream.uniform(),
      stream.integer(1000),
      stream.normal(),
    ]
    const [again, twice] = [restoreRandom(state), restoreRandom(state)]
    const expected = next(random)
    expect(next(again)).toEqual(expected)
    expect(next(twice)).toEqual(expected)
    expect(next(again)).toEqual(next(random))
  })

  it('throws: on what is no state', () => {
    for (const state of [undefined, {}, { generator: [1, 2] }, { generator: [1, 2, 3, 'x'] }]) {
      expect(() => restoreRandom(state as never)).toThrow(ValueError)
    }
  })

  it('throws: on seeds and bounds that are none', () => {
    for (const seed of [-1, 0.5, 2 ** 32, Number.NaN, '1' as unknown as number]) {
      expect(() => createRandom(seed)).toThrow(ValueError)
    }
    expect(() => createRandom(1).integer(0)).toThrow('Random.integer: below is 0')
  })
})
