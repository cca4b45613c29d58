import { existsSync } from 'node:fs'
import { createFaceNet, loadFaceNet, saveFaceNet } from '@facekit/annotate'
import {
  type PersonPictures,
  createTripletBatches,
  evaluateVerification,
  openIdentities,
} from '@facekit/annotate-training'
import { createRandom, ModelFormatError, ShapeError, ValueError, writeSafetensors } from '@facekit/core'
import { checkGradient, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const tiny = { inputSize: 16, widths: [4, 6], blocks: 1, length: 8 }
const photos = new URL('../../../../shared/data/photos/youtube-faces', import.meta.url).pathname

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

describe.each(testBackends)('facenet on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: embeddings have length 1, whatever the size of the crops', async () => {
    const net = createFaceNet(tiny)
    for (const size of [16, 40, 224]) {
      const images = tf.randomUniform([3, size, size, 3], 0, 1, 'float32', 2) as tf.Tensor4D
      const result = net.embed(images)
      expect(result.shape).toEqual([3, net.length])
      const lengths = tf.norm(result, 2, 1)
      for (const length of await lengths.data()) expect(length).toBeCloseTo(1, 5)
      tf.dispose([images, result, lengths])
    }
    net.dispose()
  })

  it('value: the same seed gives the same network, and a file gives it back', async () => {
    const images = tf.randomUniform([2, 16, 16, 3], 0, 1, 'float32', 2) as tf.Tensor4D
    const [net, same, other] = [createFaceNet(tiny), createFaceNet(tiny), createFaceNet({ ...tiny, seed: 2 })]
    const loaded = loadFaceNet(await saveFaceNet(net))
    const [a, b, c, d] = [net, same, other, loaded].map((each) => each.embed(images))
    const numbers = Array.from(await a.data())
    expect(Array.from(await b.data())).toEqual(numbers)
    expect(Array.from(await d.data())).toEqual(numbers)
    expect(Array.from(await c.data())).not.toEqual(numbers)
    expect(loaded.options).toEqual(net.options)
    tf.dispose([images, a, b, c, d])
    for (const each of [net, same, other, loaded]) each.dispose()
  })

  it('gradient: with respect to the picture', async () => {
    const net = createFaceNet({ ...tiny, widths: [4] })
    const images = tf.randomUniform([2, 16, 16, 3], 0.2, 0.8, 'float32', 5)
    // The network is piecewise smooth: small steps, and some tolerance for its kinks.
    await checkGradient((x) => net.embed(x as tf.Tensor4D), [images], {
      step: 2e-3,
      relativeTolerance: 0.05,
      absoluteTolerance: 0.03,
    })
    images.dispose()
    net.dispose()
  })

  it('memory: embedding leaves nothing but the result', async () => {
    const net = createFaceNet(tiny)
    const images = tf.ones([1, 32, 32, 3]) as tf.Tensor4D
    await expectNoLeak(() => net.embed(images).dispose())
    images.dispose()
    net.dispose()
  })

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

describe('facenet files and options', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: damaged and foreign files, impossible networks, too few people', async () => {
    const bytes = await saveFaceNet(createFaceNet(tiny))
    expect(() => loadFaceNet(bytes.subarray(0, 300))).toThrow(ModelFormatError)
    expect(() => loadFaceNet(writeSafetensors({ metadata: {}, tensors: new Map() }))).toThrow(
      /facekit-facenet/,
    )
    const metadata = { format: 'facekit-facenet', version: '1', network: '{"inputSize":17}' }
    expect(() => loadFaceNet(writeSafetensors({ metadata, tensors: new Map() }))).toThrow(ModelFormatError)
    expect(() => createFaceNet({ inputSize: 20, widths: [4, 4] })).toThrow(ValueError)
    expect(() => createFaceNet({ widths: [] })).toThrow(ValueError)
    const images = tf.zeros([1, 8, 8, 3]) as tf.Tensor4D
    expect(() => createFaceNet(tiny).embed(images)).toThrow(ShapeError)
    expect(() => createTripletBatches(colored(2))).toThrow(/expected at least 24/)
    const lonely = [...colored(3), { name: 'Robinson', pictures: [() => new Uint8Array(192)] }]
    expect(() => createTripletBatches(lonely, { people: 2 })).toThrow(/Robinson/)
    await expect(createTripletBatches(colored(3), { people: 2, size: 16 }).next()).rejects.toThrow(/768/)
    await expect(openIdentities('/nowhere')).rejects.toThrow(ValueError)
  })

  it.skipIf(!existsSync(photos))('value: opens a folder of identities', async () => {
    await useBackend('wasm')
    const { mkdtemp, symlink, mkdir, writeFile, rm } = await import('node:fs/promises')
    const { tmpdir } = await import('node:os')
    const folder = await mkdtemp(`${tmpdir()}/facekit-identities-`)
    for (const [name, frames] of Object.entries({ Adam_Sandler: ['00', '01', '10'], Abdullah_Gul: ['30'] })) {
      await mkdir(`${folder}/${name}`)
      for (const frame of frames)
        await symlink(`${photos}/${name}/${frame}.jpg`, `${folder}/${name}/${frame}.jpg`)
    }
    await writeFile(`${folder}/Adam_Sandler/99.jpg`, 'no picture')
    const rejected: string[] = []
    const people = await openIdentities(folder, {
      size: 32,
      group: (file) => file.split('/').at(-1)![0],
      onReject: (file, reason) => rejected.push(`${file.split('/').at(-1)}: ${reason}`),
    })
    expect(people.map(({ name, pictures, groups }) => [name, pictures.length, groups])).toEqual([
      ['Adam_Sandler', 3, [0, 0, 2]],
    ])
    expect((await people[0].pictures[0]()).length).toBe(32 * 32 * 3)
    expect(rejected).toHaveLength(2)
    await rm(folder, { recursive: true })
  })
})
