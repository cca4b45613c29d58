import { createFaceNet } from '@facekit/annotate'
import type { PersonPictures } from '@facekit/annotate-training'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { beforeAll, describe, expect, it } from 'vitest'
import { splitPeople, trainEmbedding, verify } from './train-embedding.js'

const size = 16

/** People whose faces are a stripe at a height of their own, in changing light. */
function striped(count: number): PersonPictures[] {
  const random = createRandom(3)
  return Array.from({ length: count }, (_, who) => ({
    name: `person ${who}`,
    pictures: Array.from({ length: 4 }, () => {
      const [dark, bright] = [random.integer(60), 150 + random.integer(100)]
      const picture = Uint8Array.from({ length: size * size * 3 }, (__, i) => {
        const [row, column] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size]
        return (row >> 1) % 8 === who % 8 || (column >> 2) % 4 === who >> 3 ? bright : dark
      })
      return () => picture
    }),
  }))
}

describe('train-an-identity-embedding', () => {
  beforeAll(async () => void (await initEngine({ backend: 'wasm' })))

  it('value: people who were never seen are told apart better after training', async () => {
    const { train, heldOut } = splitPeople(striped(30))
    expect(train.some((person) => heldOut.includes(person))).toBe(false)
    const net = createFaceNet({ inputSize: size, widths: [8, 16], blocks: 1, length: 16 })
    const before = await verify(net.embed, heldOut, size)
    const result = await trainEmbedding({
      net,
      people: train,
      heldOut,
      size,
      iterations: 60,
      batchPeople: 8,
      batchPictures: 3,
      learningRate: 5e-3,
      evaluateEvery: 60,
    })
    expect(result.evaluation!.auc).toBeGreaterThan(Math.max(0.75, before.auc))
    net.dispose()
  })
})
