import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ModelFormatError, readSafetensors, writeSafetensors, type SafetensorsFile } from '@facekit/core'
import { useBackend } from '@facekit/testing'
import { detectFaces, disposeNetworks, setWeightsLocation, type Picture } from '@facekit/annotate'
import ndarray from 'ndarray'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const picture: Picture = ndarray(new Uint8Array(300), [10, 10, 3])
const name = 'tiny-face-detector.safetensors'
const shipped = new URL(`../weights/${name}`, import.meta.url)
const detect = () => detectFaces(picture, { detector: 'fast' })

describe('weights', () => {
  let folder = ''
  beforeAll(async () => {
    await useBackend('wasm')
    folder = await mkdtemp(join(tmpdir(), 'facekit-weights-'))
  })
  afterEach(async () => {
    setWeightsLocation(undefined)
    await disposeNetworks()
  })
  afterAll(() => rm(folder, { recursive: true }))

  const use = async (bytes: Uint8Array) => {
    await writeFile(join(folder, name), bytes)
    await disposeNetworks()
    setWeightsLocation(pathToFileURL(folder))
  }
  const changed = async (change: (file: SafetensorsFile) => void) => {
    const file = readSafetensors(await readFile(shipped))
    change(file)
    await use(writeSafetensors(file))
  }

  it('smoke: can lie in another folder', async () => {
    await use(await readFile(shipped))
    expect(await detect()).toEqual([])
  })

  it('throws: no such file, with what to do about it; works once it is there', async () => {
    await disposeNetworks()
    setWeightsLocation(pathToFileURL(join(folder, 'nowhere')))
    await expect(detect()).rejects.toThrow(ModelFormatError)
    await expect(detect()).rejects.toThrow(/setWeightsLocation/)
    setWeightsLocation(undefined)
    expect(await detect()).toEqual([])
  })

  it('throws: truncated', async () => {
    const bytes = await readFile(shipped)
    for (const length of [0, 5, 300, bytes.length - 1]) {
      await use(bytes.subarray(0, length))
      await expect(detect()).rejects.toThrow(ModelFormatError)
    }
  })

  it('throws: another network, another version', async () => {
    await use(await readFile(new URL('../weights/landmarks.safetensors', import.meta.url)))
    await expect(detect()).rejects.toThrow(/landmarks/)
    await changed((file) => (file.metadata.version = '2'))
    await expect(detect()).rejects.toThrow(ModelFormatError)
  })

  it('throws: a tensor is missing, of another shape, without quantization, or not finite', async () => {
    await changed(({ tensors }) => tensors.delete('conv0/bias'))
    await expect(detect()).rejects.toThrow(/"conv0\/bias" is missing/)
    await changed(({ tensors }) => tensors.set('conv0/bias', { shape: [2], data: new Float32Array(2) }))
    await expect(detect()).rejects.toThrow(/is \[2\], expected \[16\]/)
    await changed(({ metadata }) => (metadata.quantization = '{}'))
    await expect(detect()).rejects.toThrow(/quantization/)
    await changed(({ metadata }) => (metadata.quantization = '{'))
    await expect(detect()).rejects.toThrow(/quantization/)
    const nan = { shape: [16], data: new Float32Array(16).fill(NaN) }
    await changed(({ tensors }) => tensors.set('conv0/bias', nan))
    await expect(detect()).rejects.toThrow(/not finite/)
  })
})
