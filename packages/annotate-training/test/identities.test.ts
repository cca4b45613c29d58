import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import {
  type PersonPictures,
  createTripletBatches,
  evaluateVerification,
  openIdentities,
} from '@facekit/annotate-training'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'

const demo = `${dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'))}/demo`

/** People of one colour each. */
function colored(count: number, size = 8): PersonPictures[] {
  return Array.from({ length: count }, (_, who) => ({
    name: `person ${who}`,
    pictures: Array.from(
      { length: 3 },
      (__, i) => () => new Uint8Array(size * size * 3).fill(10 + 20 * who + i),
    ),
  }))
}

describe.each(testBackends)('triplet batches on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: batches hold so many people and pictures, and go on after a restart', async () => {
    const options = { size: 8, people: 3, pictures: 4, augment: 0, seed: 5 }
    const batches = createTripletBatches(colored(6), options)
    const [images, who] = await batches.next()
    expect(images.shape).toEqual([12, 8, 8, 3])
    const people = Array.from(await who.data())
    expect(new Set(people).size).toBe(3)
    const pixels = await images.data()
    for (const [i, person] of people.entries()) {
      const value = pixels[i * 192] * 255
      expect(value).toBeGreaterThan(9 + 20 * person)
      expect(value).toBeLessThan(13 + 20 * person)
    }
    const state = JSON.parse(JSON.stringify(batches.state())) as unknown
    const next = await batches.next()
    const again = createTripletBatches(colored(6), options)
    again.restore(state)
    const repeated = await again.next()
    expect(Array.from(await repeated[0].data())).toEqual(Array.from(await next[0].data()))
    expect(Array.from(await repeated[1].data())).toEqual(Array.from(await next[1].data()))
    tf.dispose([images, who, next, repeated])
  })

  it('value: altered pictures stay in 0..1 and differ', async () => {
    const batches = createTripletBatches(colored(4), { size: 8, inputSize: 16, people: 4, pictures: 3 })
    const [images, who] = await batches.next()
    expect(images.shape).toEqual([12, 16, 16, 3])
    const pixels = await images.data()
    expect(Math.min(...pixels)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...pixels)).toBeLessThanOrEqual(1)
    expect(new Set(pixels).size).toBeGreaterThan(20)
    tf.dispose([images, who])
  })
})

describe('verification', () => {
  it('value: perfect, hopeless, and chance', () => {
    const random = createRandom(2)
    const people = Array.from({ length: 120 }, (_, i) => i % 20)
    const points = (spread: number, noise: number) =>
      Float64Array.from({ length: 120 * 3 }, (_, i) => {
        const person = people[Math.floor(i / 3)]
        return spread * Math.sin(7.3 * person + 2.1 * (i % 3)) + random.normal(0, noise)
      })
    const perfect = evaluateVerification(points(10, 0.01), people)
    expect(perfect).toMatchObject({ acceptedAt1Percent: 1, pairs: 300 })
    // The farthest pair of all lies beyond the threshold of the others.
    expect(perfect.accuracy).toBeGreaterThan(0.99)
    expect(perfect.auc).toBeCloseTo(1, 6)
    const chance = evaluateVerification(points(0, 1), people)
    expect(chance.auc).toBeGreaterThan(0.42)
    expect(chance.auc).toBeLessThan(0.58)
    const between = evaluateVerification(points(1, 0.5), people)
    expect(between.auc).toBeGreaterThan(0.75)
    expect(between.accuracy).toBeGreaterThan(between.acceptedAt1Percent)
    expect(between.threshold).toBeGreaterThan(0.3)
  })

  it('value: pictures of one group are no pair', () => {
    const people = Array.from({ length: 40 }, (_, i) => i >> 2)
    const groups = Array.from({ length: 40 }, (_, i) => i >> 1)
    const embeddings = Float64Array.from(people, (person) => person)
    expect(evaluateVerification(embeddings, people).pairs).toBe(60)
    expect(evaluateVerification(embeddings, people, { groups }).pairs).toBe(40)
  })

  it('throws: lengths that do not fit, and no pairs', () => {
    expect(() => evaluateVerification([1, 2, 3], [0, 1])).toThrow(ShapeError)
    expect(() => evaluateVerification([1, 2, 3, 4], [0, 1, 2, 3])).toThrow(ValueError)
  })
})

describe('folders of identities', () => {
  beforeAll(() => useBackend('wasm'))

  it('throws: too few people or pictures, pictures of another size, no folder', async () => {
    expect(() => createTripletBatches(colored(2))).toThrow(/expected at least 24/)
    const lonely = [...colored(3), { name: 'Robinson', pictures: [() => new Uint8Array(192)] }]
    expect(() => createTripletBatches(lonely, { people: 2 })).toThrow(/Robinson/)
    await expect(createTripletBatches(colored(3), { people: 2, size: 16 }).next()).rejects.toThrow(/768/)
    await expect(openIdentities('/nowhere')).rejects.toThrow(ValueError)
  })

  it('value: opens a folder of identities', async () => {
    const folder = await mkdtemp(`${tmpdir()}/facekit-identities-`)
    const one = sharp(`${demo}/sample3.jpg`)
      .extract({ left: 445, top: 215, width: 480, height: 480 })
      .resize(256)
    for (const [name, frames] of Object.entries({ one: ['00', '01', '10'], other: ['30'] })) {
      await mkdir(`${folder}/${name}`)
      for (const frame of frames) await one.clone().toFile(`${folder}/${name}/${frame}.jpg`)
    }
    await writeFile(`${folder}/one/99.jpg`, 'no picture')
    const rejected: string[] = []
    const people = await openIdentities(folder, {
      size: 32,
      group: (file) => file.split('/').at(-1)![0],
      onReject: (file, reason) => rejected.push(`${file.split('/').at(-1)}: ${reason}`),
    })
    expect(people.map(({ name, pictures, groups }) => [name, pictures.length, groups])).toEqual([
      ['one', 3, [0, 0, 2]],
    ])
    expect((await people[0].pictures[0]()).length).toBe(32 * 32 * 3)
    expect(rejected).toHaveLength(2)
    await rm(folder, { recursive: true })
  })
})
