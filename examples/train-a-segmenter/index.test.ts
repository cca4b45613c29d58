import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSegmenter, loadSegmenter, saveSegmenter } from '@facekit/annotate'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { createTinyFace } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinedBatches, pictureBatches, renderedBatches } from './batches.js'
import { holdOut } from './evaluate.js'
import { trainSegmenter } from './index.js'

const sizes = { size: 32, batch: 2, seed: 4 }
let folder: string

/** Pictures whose upper half is dark hair, and the lower one bright skin. */
function halves(augment: boolean) {
  const random = createRandom(8)
  const read = () => {
    const [dark, bright] = [random.integer(80), 150 + random.integer(100)]
    const image = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i < 8 * 16 * 3 ? dark : bright))
    return { image, labels: Uint8Array.from({ length: 256 }, (_, i) => (i < 128 ? 13 : 1)) }
  }
  return pictureBatches([0, 1, 2], read, { ...sizes, augment })
}

describe('train-a-segmenter', () => {
  beforeAll(async () => {
    await initEngine({ backend: 'wasm' })
    folder = await mkdtemp(join(tmpdir(), 'facekit-segmenter-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('value: learns, goes on where it stopped, and writes weights that load', async () => {
    const segmenter = createSegmenter({ inputSize: 32, widths: [4, 6, 8] })
    const heldOut = await holdOut(halves(false), 1)
    const options = { segmenter, heldOut, folder, learningRate: 0.01, evaluateEvery: 20 }
    const first = await trainSegmenter({ ...options, batches: halves(true), iterations: 20 })
    expect(first.stoppedBy).toBe('iterations')
    expect(existsSync(join(folder, 'log.jsonl'))).toBe(true)
    const second = await trainSegmenter({ ...options, batches: halves(true), iterations: 60, resume: true })
    expect(second.iterations).toBe(60)
    expect(second.loss).toBeLessThan(0.6 * Math.log(19))
    expect(second.evaluation!.meanIou).toBeGreaterThan(0.6)
    const loaded = await loadSegmenter({ weights: await saveSegmenter(segmenter, { precision: 'float16' }) })
    const labels = tf.tidy(() => tf.argMax(loaded.predict(heldOut[0][0]), 3))
    expect(new Set(await labels.data())).toEqual(new Set([1, 13]))
    tf.dispose([heldOut, labels])
    loaded.dispose()
    segmenter.dispose()
  })

  it('shape: rendered faces and pictures in one batch; the state gives the same batches', async () => {
    const model = createTinyFace()
    const open = () => joinedBatches(renderedBatches([model], { ...sizes, augment: true }), halves(true))
    const a = open()
    tf.dispose(await a.next())
    const state = JSON.parse(JSON.stringify(a.state()))
    const [images, labels] = await a.next()
    expect(images.shape).toEqual([4, 32, 32, 3])
    expect(labels.shape).toEqual([4, 32, 32])
    expect(labels.dtype).toBe('int32')
    const b = open()
    b.restore(state)
    const [again] = await b.next()
    const [wanted, actual] = [await images.data(), await again.data()]
    // The pictures of the second part are made anew at each call: only the rendered ones are compared.
    const half = images.size / 2
    expect(actual.subarray(0, half)).toEqual(wanted.subarray(0, half))
    tf.dispose([images, labels, again])
    a.dispose?.()
    b.dispose?.()
  })
})
