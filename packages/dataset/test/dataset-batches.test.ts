import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mirroredLandmarks } from '@facekit/annotate'
import {
  createDataset,
  datasetBatches,
  DatasetError,
  openDataset,
  writeShards,
  type DatasetBatches,
  type FaceBatch,
  type FaceDataset,
} from '@facekit/dataset'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import { tinySample } from './tiny-samples.js'

const SIZE = 32
const webgpu = await hasWebgpu()
let folder: string
let dataset: FaceDataset
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'facekit-batches-'))
  const samples = Array.from({ length: 10 }, (_, i) => tinySample(i))
  await writeShards(samples, join(folder, 'shards'), { samplesPerShard: 4 })
  dataset = await openDataset(join(folder, 'shards'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What a batch holds, and its tensors disposed. */
function read(batch: FaceBatch) {
  const values = batch.map((tensor) => Array.from(tensor.dataSync()))
  tf.dispose(batch)
  return values
}

describe.each(testBackends)('batches on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('shape: pictures, masks, landmarks, identity features', async () => {
    const batches = datasetBatches(dataset, { batch: 3, size: 24 })
    const batch = await batches.next()
    expect(batch.map(({ shape }) => shape)).toEqual([
      [3, 24, 24, 3],
      [3, 24, 24, 1],
      [3, 24, 24, 1],
      [3, 24, 24, 1],
      [3, 68, 2],
      [3, 128],
    ])
    for (const values of read(batch).slice(0, 4)) {
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
      expect(Math.max(...values)).toBeLessThanOrEqual(1)
    }
    batches.dispose()
  })

  it('value: without changes they are the samples', async () => {
    const batches = datasetBatches(dataset, { batch: 4, size: SIZE, shuffle: false, augment: false })
    const [images, region, skin, mouth, landmarks, embedding] = read(await batches.next())
    const sample = await dataset.read(2)
    const part = (values: number[], length: number) => values.slice(2 * length, 3 * length)
    expect(part(images, SIZE * SIZE * 3)).toEqual(Array.from(sample.image.data, (v) => Math.fround(v / 255)))
    const { annotation } = sample
    expect(part(region, SIZE * SIZE)).toEqual(Array.from(annotation.faceRegion.data))
    expect(part(skin, SIZE * SIZE)).toEqual(Array.from(annotation.skinProbability.data))
    expect(part(mouth, SIZE * SIZE)).toEqual(Array.from(annotation.innerMouth.data))
    expect(part(landmarks, 136)).toEqual(Array.from(annotation.landmarks.data))
    expect(part(embedding, 128)).toEqual(Array.from(annotation.embedding))
  })

  it('value: a mirror image has mirrored landmarks and masks', async () => {
    const options = { batch: 1, size: SIZE, shuffle: false }
    const still = { rotation: 0, scale: 0, shift: 0, brightness: 0, contrast: 0, saturation: 0, tint: 0 }
    const plain = read(await datasetBatches(dataset, { ...options, augment: false }).next())
    const turned = read(await datasetBatches(dataset, { ...options, augment: { ...still, flip: 1 } }).next())
    const mirror = (values: number[], channels: number) =>
      values.map((_, i) => {
        const [pixel, c] = [Math.floor(i / channels), i % channels]
        const [x, y] = [pixel % SIZE, Math.floor(pixel / SIZE)]
        return values[(y * SIZE + SIZE - 1 - x) * channels + c]
      })
    for (const [k, channels] of [3, 1, 1, 1].entries()) {
      const expected = mirror(plain[k], channels)
      turned[k].forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5))
    }
    for (let i = 0; i < 68; i++) {
      const from = mirroredLandmarks[i]
      expect(turned[4][2 * i]).toBeCloseTo(SIZE - plain[4][2 * from], 4)
      expect(turned[4][2 * i + 1]).toBeCloseTo(plain[4][2 * from + 1], 4)
    }
  })

  it('value: turned, scaled and shifted, landmarks stay on what they mark', async () => {
    // A sample whose red is x and green is y, as shares of the crop: the picture says where a point came from.
    const sample = tinySample(1, 64)
    for (let i = 0; i < 64 * 64; i++) {
      sample.image.data.set([((i % 64) + 0.5) * 3.9, (Math.floor(i / 64) + 0.5) * 3.9, 128], i * 3)
      sample.annotation.faceRegion.data[i] = 1
    }
    sample.annotation.landmarks.data.forEach((_, i, all) => (all[i] = 12 + ((i * 7) % 40)))
    const single: FaceDataset = { ...dataset, entries: [dataset.entries[0]], length: 1, onDisk: false }
    const memory = { ...single, select: () => [0], read: async () => sample }
    const augment = {
      flip: 0.5,
      rotation: 0.3,
      scale: 0.2,
      shift: 0.1,
      brightness: 0,
      contrast: 0,
      saturation: 0,
      tint: 0,
    }
    const batches = datasetBatches(memory, { batch: 8, size: 96, augment })
    const [images, region, , , landmarks] = read(await batches.next())
    let compared = 0
    for (let b = 0; b < 8; b++) {
      // Of a mirror image the points come in another order.
      const at = (i: number) => landmarks.slice((b * 68 + i) * 2, (b * 68 + i) * 2 + 2)
      const errors = [false, true].map((flip) => {
        let worst = 0
        for (let i = 0; i < 68; i++) {
          const [x, y] = at(i)
          const [u, v] = [x - 0.5, y - 0.5]
          if (u < 0 || v < 0 || u >= 95 || v >= 95) continue
          const value = (c: number) => {
            const [x0, y0] = [Math.floor(u), Math.floor(v)]
            const pixel = (dx: number, dy: number) => images[((b * 96 + y0 + dy) * 96 + x0 + dx) * 3 + c]
            const [fx, fy] = [u - x0, v - y0]
            return (
              (pixel(0, 0) * (1 - fx) + pixel(1, 0) * fx) * (1 - fy) +
              (pixel(0, 1) * (1 - fx) + pixel(1, 1) * fx) * fy
            )
          }
          const k = flip ? mirroredLandmarks[i] : i
          for (let c = 0; c < 2; c++) {
            const expected = (sample.annotation.landmarks.data[2 * k + c] * 3.9) / 255
            worst = Math.max(worst, Math.abs(value(c) - expected))
          }
          compared++
        }
        return worst
      })
      expect(Math.min(...errors)).toBeLessThan(0.01)
    }
    expect(compared).toBeGreaterThan(500)
    // What lies outside of the crop is no face.
    expect(Math.min(...region)).toBe(0)
  })

  it('value: the same seed, the same batches; another seed, others; restored, it goes on', async () => {
    const options = { batch: 4, size: 16, seed: 3 }
    const first = datasetBatches(dataset, options)
    const all = []
    for (let i = 0; i < 6; i++) all.push(read(await first.next()))
    const second = datasetBatches(dataset, { ...options, prefetch: 0, cacheBytes: 0 })
    for (let i = 0; i < 3; i++) expect(read(await second.next())).toEqual(all[i])
    const state = JSON.parse(JSON.stringify(second.state()))
    const third = datasetBatches(dataset, options)
    await third.next().then((batch) => tf.dispose(batch))
    third.restore(state)
    for (let i = 3; i < 6; i++) expect(read(await third.next())).toEqual(all[i])
    expect(read(await datasetBatches(dataset, { ...options, seed: 4 }).next())).not.toEqual(all[0])
    expect(() => third.restore({ ...state, seed: 9 })).toThrow(/is no state of batches of 4 with seed 3/)
    expect(() => third.restore(undefined)).toThrow(/is no state/)
  })

  it('value: a data set that has grown goes on with a new pass over all of it, and resumes there', async () => {
    const options = { batch: 3, size: 16, seed: 3, augment: false }
    const keysOf = async (batches: DatasetBatches, of: FaceDataset, count: number) => {
      const all = await Promise.all(of.entries.map((_, i) => of.read(i)))
      const keys: string[] = []
      for (let i = 0; i < count; i++) {
        const embedding = read(await batches.next())[5]
        for (let k = 0; k < 3; k++) {
          const first = embedding[k * 128]
          keys.push(all.find(({ annotation }) => annotation.embedding[0] === first)!.key)
        }
      }
      return keys
    }
    const small = createDataset(dataset.entries.slice(0, 7))
    const before = datasetBatches(small, options)
    await keysOf(before, small, 3)
    const state = JSON.parse(JSON.stringify(before.state()))
    const grown = datasetBatches(dataset, options)
    grown.restore(state)
    const pass = await keysOf(grown, dataset, 3)
    expect(new Set(pass).size).toBe(9)
    // A third pass, the second one of the small data set being cut short.
    const fresh = datasetBatches(dataset, options)
    expect((await keysOf(fresh, dataset, 3)).join()).not.toBe(pass.join())
    const later = JSON.parse(JSON.stringify(grown.state()))
    const resumed = datasetBatches(dataset, options)
    resumed.restore(later)
    expect(await keysOf(resumed, dataset, 4)).toEqual(await keysOf(grown, dataset, 4))
    expect(resumed.state()).toMatchObject({ batches: 10, length: 10, since: { batches: 3, passes: 2 } })
    expect(() => resumed.restore({ ...later, since: { batches: 99, passes: 0 } })).toThrow(/is no state/)
  })

  it('value: two ranks together see what one process sees', async () => {
    const whole = datasetBatches(dataset, { batch: 6, size: 16, seed: 5 })
    const parts = [0, 1].map((rank) =>
      datasetBatches(dataset, { batch: 3, size: 16, seed: 5, rank, ranks: 2 }),
    )
    for (let i = 0; i < 4; i++) {
      const [all, ...halves] = [
        await whole.next(),
        ...(await Promise.all(parts.map((part) => part.next()))),
      ].map((batch) => read(batch)[4])
      for (let slot = 0; slot < 6; slot++) {
        const expected = all.slice(slot * 136, (slot + 1) * 136)
        expect(halves[slot % 2].slice((slot >> 1) * 136, ((slot >> 1) + 1) * 136)).toEqual(expected)
      }
    }
  })

  it('value: samples that stay on the device give the same batches', async () => {
    const options = { batch: 4, size: 24, seed: 2 }
    const plain = datasetBatches(dataset, options)
    // Room for three samples.
    const held = datasetBatches(dataset, { ...options, deviceBytes: 3 * SIZE * SIZE * 6 * 4 })
    for (let i = 0; i < 5; i++) expect(read(await held.next())).toEqual(read(await plain.next()))
    held.dispose()
  })

  it('memory: nothing is left', async () => {
    const before = tf.memory().numTensors
    const batches = datasetBatches(dataset, { batch: 2, size: 16, deviceBytes: 1e6 })
    for (let i = 0; i < 3; i++) tf.dispose(await batches.next())
    batches.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })
})

it.skipIf(!webgpu)('value: on webgpu the batches are those of cpu, from its own memory too', async () => {
  const options = { batch: 3, size: 20, seed: 9, deviceBytes: 2 * SIZE * SIZE * 6 * 4 }
  const batchesOn = async (backend: string) => {
    await useBackend(backend)
    const batches = datasetBatches(dataset, options)
    const all: number[][] = []
    for (let i = 0; i < 4; i++) {
      const batch = await batches.next()
      for (const tensor of batch) all.push(Array.from(await tensor.data()))
      tf.dispose(batch)
    }
    batches.dispose()
    return all
  }
  const expected = await batchesOn('cpu')
  const actual = await batchesOn('webgpu')
  actual.forEach((values, k) => {
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[k][i])), 0)
    expect(worst).toBeLessThan(1e-4)
  })
})

describe('bad samples', () => {
  beforeAll(() => useBackend('cpu'))

  it('value: are skipped and counted, and the next one takes their place', async () => {
    const target = join(folder, 'damaged')
    const { shards } = await writeShards(
      [0, 1, 2, 3].map((i) => tinySample(i)),
      target,
    )
    const damaged = await openDataset(target)
    const { files } = damaged.entries[1].location as { files: Record<string, [number, number]> }
    const bytes = await readFile(shards[0])
    bytes.fill(0, files.json[0], files.json[0] + files.json[1])
    await writeFile(shards[0], bytes)
    const batches = datasetBatches(damaged, { batch: 4, size: SIZE, shuffle: false, augment: false })
    const landmarks = read(await batches.next())[4]
    expect([...batches.skipped]).toEqual([['sample-0001', expect.stringMatching(/cannot be parsed/)]])
    expect(landmarks.slice(136, 272)).toEqual(landmarks.slice(272, 408))
  })

  it('throws: when nothing can be read, a wrong option, an empty selection', async () => {
    const target = join(folder, 'gone')
    const { shards } = await writeShards([tinySample(0)], target)
    const gone = await openDataset(target)
    await rm(shards[0])
    await expect(datasetBatches(gone, { batch: 1 }).next()).rejects.toThrow(DatasetError)
    expect(() => datasetBatches(dataset, { batch: 0 })).toThrow(/batch is 0/)
    expect(() => datasetBatches(dataset, { augment: { flip: 2 } })).toThrow(/flip is 2/)
    expect(() => datasetBatches(dataset, { minQuality: 1 })).toThrow(/0 of 10 samples/)
  })
})
