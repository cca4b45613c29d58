import {
  createDenseNetwork,
  createFaceNet,
  createHourglass,
  createSegmenter,
  loadFaceNet,
  loadHourglass,
  loadSegmenter,
  openDenseNetwork,
  saveDenseNetwork,
  saveFaceNet,
  saveHourglass,
  saveSegmenter,
} from '@facekit/annotate'
import { ModelFormatError, readSafetensors, writeSafetensors } from '@facekit/core'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

/** A file whose header says something else of its network. */
function redescribed(bytes: Uint8Array, key: string, change: object): Uint8Array {
  const { metadata, tensors } = readSafetensors(bytes)
  const value = JSON.stringify({ ...(JSON.parse(metadata[key]) as object), ...change })
  return writeSafetensors({ metadata: { ...metadata, [key]: value }, tensors: new Map(tensors) })
}

describe('files of networks', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: networks that would take more memory than their file has numbers; none is taken', async () => {
    const hourglass = createHourglass({ inputSize: 32, stacks: 1, features: 8, depth: 1, landmarks: 5 })
    const segmenter = createSegmenter({ inputSize: 16, widths: [2, 4], classes: 3 })
    const faceNet = createFaceNet({ inputSize: 16, length: 4, widths: [2, 4], blocks: 1 })
    const files = {
      hourglass: await saveHourglass(hourglass),
      segmenter: await saveSegmenter(segmenter),
      faceNet: await saveFaceNet(faceNet),
    }
    const tensors = tf.memory().numTensors
    for (const change of [
      { features: 4096 },
      { depth: 8, stacks: 16, inputSize: 1024 },
      { landmarks: 65536 },
    ]) {
      const weights = redescribed(files.hourglass, 'network', change)
      await expect(loadHourglass({ weights })).rejects.toThrow(/a network of at least \d+ weights and holds/)
    }
    const weights = redescribed(files.segmenter, 'network', { widths: [4096, 4096] })
    await expect(loadSegmenter({ weights })).rejects.toThrow(/a network of at least/)
    for (const change of [{ widths: [8192, 8192] }, { blocks: 100 }, { length: 4096 }])
      expect(() => loadFaceNet(redescribed(files.faceNet, 'network', change))).toThrow(
        /a network of at least/,
      )
    expect(tf.memory().numTensors).toBe(tensors)
    for (const network of [hourglass, segmenter, faceNet]) network.dispose()
  })

  it('throws: factors of dense landmarks that are no numbers', async () => {
    const network = createDenseNetwork({ points: 3, outline: 2, identity: 2, inputSize: 32, width: 0.05 })
    const bytes = await saveDenseNetwork(network)
    for (const depths of ['1', null, 0, -1, [1]])
      expect(() => openDenseNetwork(redescribed(bytes, 'calibration', { depths }))).toThrow(ModelFormatError)
    network.dispose()
  })
})
