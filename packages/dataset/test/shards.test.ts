import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyTransform } from '@facekit/annotate'
import {
  annotationOfSample,
  datasetBatches,
  DatasetError,
  decodeSample,
  encodeSample,
  openDataset,
  readShards,
  writeShards,
  type FaceSample,
} from '@facekit/dataset'
import { tinySample } from './tiny-samples.js'

let folder: string
beforeAll(async () => {
  await useBackend('cpu')
  folder = await mkdtemp(join(tmpdir(), 'facekit-dataset-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const samples = (count: number) => Array.from({ length: count }, (_, i) => tinySample(i))
const collect = async (source: AsyncIterable<FaceSample>) => {
  const all: FaceSample[] = []
  for await (const sample of source) all.push(sample)
  return all
}
const expectSame = (actual: FaceSample, expected: FaceSample) => {
  expect(actual.key).toBe(expected.key)
  expect(actual.identity).toBe(expected.identity)
  expect(actual.source).toEqual(expected.source)
  expect(actual.quality).toEqual(expected.quality)
  expect(actual.image.shape).toEqual(expected.image.shape)
  const mean =
    actual.image.data.reduce((sum, value, i) => sum + Math.abs(value - expected.image.data[i]), 0) /
    actual.image.data.length
  expect(mean).toBeLessThan(3)
  const { annotation: a } = actual
  const { annotation: b } = expected
  for (const name of ['faceRegion', 'innerMouth', 'skinProbability'] as const) {
    expect(Array.from(a[name].data)).toEqual(Array.from(b[name].data, Math.fround))
  }
  expect(a.embedding).toEqual(b.embedding)
  expect(a.transform).toEqual(b.transform)
  expect(a.box).toEqual(b.box)
  a.landmarks.data.forEach((value, i) => expect(Math.abs(value - b.landmarks.data[i])).toBeLessThan(6e-4))
}

describe('a sample as files', () => {
  it('value: comes back as it was, but for what JPEG takes', async () => {
    const sample: FaceSample = {
      ...tinySample(3),
      parameters: {
        identity: new Float32Array([0.1, -2]),
        expression: new Float32Array([]),
        albedo: new Float32Array([1 / 3]),
        pose: {
          rotation: new Float32Array([0.1, 0.2, 0.3]),
          translation: new Float32Array(3),
          scale: new Float32Array([1]),
        },
        illumination: {
          sphericalHarmonics: new Float32Array(27).fill(0.7),
          lightPosition: new Float32Array(3),
          lightColor: new Float32Array(3),
          shininess: new Float32Array([20]),
        },
      },
      files: { 'normals.png': new Uint8Array([1, 2, 3]) },
    }
    const back = await decodeSample(sample.key, await encodeSample(sample))
    expectSame(back, sample)
    expect(back.parameters).toEqual(sample.parameters)
    expect(back.files).toEqual(sample.files)
  })

  it('value: gives the same bytes every time', async () => {
    const [a, b] = [await encodeSample(tinySample(1)), await encodeSample(tinySample(1))]
    expect(a).toEqual(b)
  })

  it('value: maps back to the original picture', () => {
    const sample = tinySample(4)
    const { landmarks, alignment } = annotationOfSample(sample)
    const again = applyTransform(sample.annotation.transform, landmarks)
    again.data.forEach((v, i) => expect(v).toBeCloseTo(alignment.landmarks.data[i], 4))
  })

  it('throws: what is not finite is not written', async () => {
    const sample = tinySample(1)
    sample.annotation.embedding[5] = NaN
    await expect(encodeSample(sample)).rejects.toThrow(/embedding\[5\] is null/)
  })

  it('throws: a bad key, masks of another size', async () => {
    await expect(encodeSample({ ...tinySample(1), key: 'a.b' })).rejects.toThrow(/key is "a.b"/)
    const sample = tinySample(1)
    sample.annotation.faceRegion = ndarray(new Float32Array(4), [2, 2])
    await expect(encodeSample(sample)).rejects.toThrow(/mask is \[2, 2\], expected \[32, 32\]/)
  })

  it('throws: damaged, foreign and oversized files are DatasetErrors that say so', async () => {
    const files = await encodeSample(tinySample(1))
    const json = JSON.parse(new TextDecoder().decode(files.get('json')))
    const broken = (ending: string, bytes: Uint8Array | string | undefined) => () => {
      const copy = new Map(files)
      if (bytes === undefined) copy.delete(ending)
      else copy.set(ending, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
      return decodeSample('k', copy, { where: 'a.tar' })
    }
    const changed = (change: object) => () => broken('json', JSON.stringify({ ...json, ...change }))()
    for (const [attempt, message] of [
      [broken('jpg', undefined), /a.tar: k: has no .jpg/],
      [
        broken('jpg', files.get('jpg')!.subarray(0, 300)),
        /k: the .jpg: (the file is truncated|cannot be decoded)/,
      ],
      [broken('mask.png', files.get('mask.png')!.subarray(0, 60)), /the .mask.png/],
      [broken('mask.png', 'not a picture'), /not a picture/],
      [broken('json', '{"a":'), /cannot be parsed/],
      [broken('json', '[1]'), /no object/],
      [broken('json', '{"label":3}'), /holds "no format", expected "facekit-face 1"/],
      [changed({ version: 9 }), /holds "facekit-face 9"/],
      [changed({ size: 64 }), /32 x 32 pixels, expected 64 x 64/],
      [changed({ score: null }), /score is null/],
      [changed({ landmarks: [[1, 2]] }), /landmarks is no list of 136/],
      [changed({ transform: { ...json.transform, scale: 0 } }), /scale is 0/],
      [changed({ embedding: ['x'] }), /embedding\[0\] is "x"/],
      [changed({ size: 1e9 }), /size is 1000000000/],
    ] as const) {
      const error = await attempt().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(DatasetError)
      expect((error as Error).message).toMatch(message)
    }
    await expect(decodeSample('k', files, { maxPixels: 100 })).rejects.toThrow(/pixels/)
  })
})

/** A member of a tar file: its header, and its content in whole blocks. */
function tarMember(name: string, type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0, 100)
  header.write('0000644\0', 100)
  header.write(`${content.length.toString(8).padStart(11, '0')} `, 124)
  header.write('        ', 148)
  header.write(type, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

/** The same files in v7 headers, all of one ending before those of the next. */
function asUnsortedV7(shard: Buffer): Buffer {
  const files: { name: string; content: Buffer }[] = []
  for (let at = 0; shard[at] !== 0;) {
    const name = shard.toString('utf8', at, shard.indexOf(0, at))
    const size = parseInt(shard.toString('utf8', at + 124, at + 135), 8)
    files.push({ name, content: shard.subarray(at + 512, at + 512 + size) })
    at += 512 + Math.ceil(size / 512) * 512
  }
  const ending = (name: string) => name.slice(name.indexOf('.'))
  const members = files
    .toSorted((a, b) => (ending(a.name) < ending(b.name) ? -1 : ending(a.name) > ending(b.name) ? 1 : 0))
    .map(({ name, content }) => tarMember(name, '\0', content))
  return Buffer.concat([tarMember('faces/', '\0', Buffer.alloc(0)), ...members, Buffer.alloc(1024)])
}

describe('tar shards', () => {
  it('value: come back sample by sample, in order and at random, with the same bytes every time', async () => {
    const target = join(folder, 'a')
    const written = await writeShards(samples(11), target, { samplesPerShard: 4 })
    expect(written.shards.length).toBe(3)
    expect(written.samples).toBe(11)
    const read = await collect(readShards(target))
    read.forEach((sample, i) => expectSame(sample, tinySample(i)))
    const dataset = await openDataset(target)
    expect(dataset.length).toBe(11)
    expect(dataset.identities).toEqual([0, 1, 2, 3, 4].map((i) => `person-${i}`))
    expectSame(await dataset.read(9), tinySample(9))
    const again = await writeShards(samples(11), join(folder, 'b'), { samplesPerShard: 4 })
    for (const [i, path] of written.shards.entries()) {
      expect((await readFile(path)).equals(await readFile(again.shards[i]))).toBe(true)
    }
  })

  it('value: without an index, and packed by others, they are read too', async () => {
    const target = join(folder, 'foreign')
    await writeShards(samples(3), target)
    await rm(join(target, 'faces-000000.index.json'))
    const archive = pack()
    const chunks: Buffer[] = []
    archive.on('data', (chunk: unknown) => void chunks.push(chunk as Buffer))
    const done = new Promise<void>((resolve) => archive.on('end', () => resolve()))
    for (const [ending, bytes] of await encodeSample(tinySample(7))) {
      // A time with fractions, as Python writes it, takes a header of its own.
      archive.entry(
        { name: `./deep/other.${ending}`, pax: { mtime: '1700000000.25' } },
        Buffer.from(bytes) as unknown as string,
      )
    }
    archive.finalize()
    await done
    await writeFile(join(target, 'more.tar'), Buffer.concat(chunks))
    const dataset = await openDataset(target)
    expect(dataset.length).toBe(4)
    expectSame(await dataset.read(3), { ...tinySample(7), key: './deep/other' })
    expect((await collect(readShards(target))).length).toBe(4)
  })

  it('value: a v7 archive whose files are unsorted, as plain tar packs a folder, is read sample by sample', async () => {
    const target = join(folder, 'unsorted')
    const { shards } = await writeShards(samples(4), target)
    await rm(join(target, 'faces-000000.index.json'))
    await writeFile(shards[0], asUnsortedV7(await readFile(shards[0])))
    const dataset = await openDataset(target)
    expect(dataset.entries.map(({ key, identity }) => [key, identity])).toEqual(
      samples(4).map(({ key, identity }) => [key, identity]),
    )
    for (let i = 0; i < 4; i++) expectSame(await dataset.read(i), tinySample(i))
    const read = await collect(readShards(target))
    read.forEach((sample, i) => expectSame(sample, tinySample(i)))
    const batches = datasetBatches(dataset, { batch: 4, size: 16, shuffle: false })
    tf.dispose(await batches.next())
    expect([...batches.skipped]).toEqual([])
    batches.dispose()
  })

  it('value: names of more than 100 characters, by the headers of pax and of GNU tar', async () => {
    const deep = `${'a-long-folder/'.repeat(9)}other`
    for (const pax of [true, false]) {
      const target = join(folder, `long-${pax}`)
      await mkdir(target)
      const parts: Buffer[] = []
      for (const [ending, bytes] of await encodeSample(tinySample(7))) {
        const name = `${deep}.${ending}`
        const record = `${name.length + 10} path=${name}\n`
        parts.push(
          pax
            ? tarMember('pax', 'x', Buffer.from(record))
            : tarMember('././@LongLink', 'L', Buffer.from(`${name}\0`)),
          tarMember(name.slice(0, 99), '0', Buffer.from(bytes)),
        )
      }
      await writeFile(join(target, 'long.tar'), Buffer.concat([...parts, Buffer.alloc(1024)]))
      expectSame(await (await openDataset(target)).read(0), { ...tinySample(7), key: deep })
    }
  })

  it('value: 130,000 faces beside pictures are opened', async () => {
    const target = join(folder, 'many')
    await mkdir(target)
    const faces = Array.from({ length: 130_000 }, (_, i) => ({ key: `face-${i}` }))
    const record = { format: 'facekit-picture', version: 1, faces }
    await writeFile(join(target, 'crowd.jpg.faces.json'), JSON.stringify(record))
    expect((await openDataset(target)).length).toBe(130_000)
  })

  it('throws: two samples of one key, nothing there, truncated, foreign', async () => {
    await expect(writeShards([tinySample(1), tinySample(1)], join(folder, 'c'))).rejects.toThrow(
      /two samples/,
    )
    await expect(openDataset(join(folder, 'nowhere'))).rejects.toThrow(DatasetError)
    const target = join(folder, 'd')
    const { shards } = await writeShards(samples(4), target)
    const whole = await readFile(shards[0])
    for (const length of [0, 100, 512, 4096, whole.length >> 1, whole.length - 1024]) {
      await truncate(shards[0], length)
      await expect(openDataset(target)).rejects.toThrow(/expected .* by its index/)
      await expect(collect(readShards(target))).rejects.toThrow(/truncated, damaged or no tar/)
      await writeFile(shards[0], whole)
    }
    await writeFile(shards[0], Buffer.alloc(2048, 'text'))
    await expect(collect(readShards(target))).rejects.toThrow(DatasetError)
    await writeFile(join(target, 'faces-000000.index.json'), '{"format":"facekit-shard","version":1}')
    await expect(openDataset(target)).rejects.toThrow(/is incomplete/)
  })

  it('value: a bad sample is passed over when someone is told', async () => {
    const target = join(folder, 'e')
    const { shards } = await writeShards(samples(5), target)
    const dataset = await openDataset(target)
    const location = dataset.entries[2].location as { files: Record<string, [number, number]> }
    const bytes = await readFile(shards[0])
    bytes.fill(0, location.files.jpg[0], location.files.jpg[0] + 200)
    await writeFile(shards[0], bytes)
    const skipped: string[] = []
    const read = await collect(readShards(target, { onSkip: (key) => skipped.push(key) }))
    expect(read.length).toBe(4)
    expect(skipped).toEqual(['sample-0002'])
    await expect(collect(dataset.samples())).rejects.toThrow(/sample-0002: the .jpg/)
    expect((await collect(dataset.samples({ onSkip: () => {} }))).length).toBe(4)
  })
})

describe('a selection', () => {
  it('value: people are held out whole, ranks share everything, a seed gives one order', async () => {
    const target = join(folder, 'f')
    const many = Array.from({ length: 60 }, (_, i) => tinySample(i, 32, `p${i % 20}`))
    await writeShards(many, target)
    const dataset = await openDataset(target)
    const split = (part: 'train' | 'held-out') => dataset.select({ split: { part, share: 0.3 } })
    const [train, heldOut] = [split('train'), split('held-out')]
    expect([...train, ...heldOut].sort((a, b) => a - b)).toEqual(many.map((_, i) => i))
    const names = (list: number[]) => new Set(list.map((i) => dataset.entries[i].identity))
    expect([...names(heldOut)].some((name) => names(train).has(name))).toBe(false)
    expect(names(heldOut).size).toBeGreaterThan(1)
    expect(names(heldOut).size).toBeLessThan(12)
    const all = dataset.select({ shuffle: 5 })
    expect(all).toEqual(dataset.select({ shuffle: 5 }))
    expect(all).not.toEqual(dataset.select({ shuffle: 6 }))
    const shares = [0, 1, 2].map((rank) => dataset.select({ shuffle: 5, rank, ranks: 3 }))
    expect(shares.flat().sort((a, b) => a - b)).toEqual(many.map((_, i) => i))
    expect(shares.map((share) => share[4])).toEqual(all.slice(12, 15))
    expect(() => dataset.select({ identities: ['nobody'] })).toThrow(/0 of 60 samples/)
  })
})
