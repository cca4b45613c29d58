import { type TripletLossOptions, tripletLoss } from '@facekit/annotate-training'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

/** The loss as loops over all pairs, in double precision. */
function reference(
  points: number[][],
  people: number[],
  { margin = 0.2, mining = 'semi-hard' } = {},
): number {
  const distance = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0)
  let [total, count] = [0, 0]
  for (const [a, anchor] of points.entries()) {
    const strangers = points.filter((_, n) => people[n] !== people[a]).map((other) => distance(anchor, other))
    if (strangers.length === 0) continue
    for (const [p, positive] of points.entries()) {
      if (p === a || people[p] !== people[a]) continue
      const own = distance(anchor, positive)
      const farther = strangers.filter((value) => value > own)
      const against =
        mining === 'hard'
          ? Math.min(...strangers)
          : farther.length > 0
            ? Math.min(...farther)
            : Math.max(...strangers)
      total += Math.max(0, own - against + margin)
      count++
    }
  }
  return count > 0 ? total / count : 0
}

function drawn(count: number, length: number, spread: number, seed = 3) {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => Array.from({ length }, () => random.normal(0, spread)))
}

const people = [0, 0, 0, 1, 1, 2, 2, 2, 3, 4]

describe.each(testBackends)('triplet loss on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it.each<TripletLossOptions>([{}, { margin: 1.5 }, { mining: 'hard' }, { mining: 'hard', margin: 0.01 }])(
    'value: equals the loops over all pairs, %o',
    async (options) => {
      for (const spread of [0.1, 0.5, 2]) {
        const points = drawn(10, 5, spread)
        const loss = tf.tidy(() => tripletLoss(tf.tensor2d(points), tf.tensor1d(people, 'int32'), options))
        expect((await loss.data())[0]).toBeCloseTo(reference(points, people, options), 4)
        loss.dispose()
      }
    },
  )

  it('value: 0 where there is no pair, or no stranger', async () => {
    for (const who of [
      [0, 1, 2, 3],
      [5, 5, 5, 5],
    ]) {
      const loss = tf.tidy(() => tripletLoss(tf.tensor2d(drawn(4, 3, 1)), tf.tensor1d(who, 'int32')))
      expect((await loss.data())[0]).toBe(0)
      loss.dispose()
    }
  })

  it.each<TripletLossOptions>([{ margin: 0.5 }, { margin: 0.5, mining: 'hard' }])(
    'gradient: central differences, %o',
    async (options) => {
      const who = tf.tensor1d(people, 'int32')
      await checkGradient(
        (points) => tripletLoss(points as tf.Tensor2D, who, options),
        [tf.tensor2d(drawn(10, 4, 0.5, 11))],
      )
      who.dispose()
    },
  )

  it('memory: leaves nothing but the result', () => {
    const [points, who] = [tf.tensor2d(drawn(10, 4, 0.5)), tf.tensor1d(people, 'int32')]
    const before = tf.memory().numTensors
    tripletLoss(points, who).dispose()
    expect(tf.memory().numTensors).toBe(before)
    tf.dispose([points, who])
  })

  it('throws: other shapes, a negative margin', () => {
    const points = tf.tensor2d(drawn(4, 3, 1))
    const who = tf.tensor1d([0, 0, 1, 1], 'int32')
    expect(() => tripletLoss(points, tf.tensor1d([0, 1], 'int32'))).toThrow(ShapeError)
    expect(() => tripletLoss(points, who, { margin: -1 })).toThrow(ValueError)
    tf.dispose([points, who])
  })
})
