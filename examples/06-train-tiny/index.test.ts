import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { loadRegressor } from '@facekit/regressor'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { trainTiny } from './index.js'

describe('06-train-tiny', () => {
  let folder: string
  beforeAll(async () => {
    await initEngine({ backend: 'wasm' })
    folder = await mkdtemp(join(tmpdir(), 'facekit-tiny-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('value: the loss falls; a network, a report and panels are written', async () => {
    const model = await loadBaseModel()
    const losses: number[] = []
    const onProgress = ({ loss }: { loss: number }) => void losses.push(loss)
    const result = await trainTiny({
      model,
      folder,
      iterations: 8,
      size: 32,
      batch: 4,
      width: 0.2,
      onProgress,
    })
    expect(result.stoppedBy).toBe('iterations')
    expect(Math.min(...losses.slice(4))).toBeLessThan(losses[0])
    expect(result.evaluation?.landmarkError).toBeLessThan(1)
    const files = await readdir(folder)
    for (const name of [
      'regressor.safetensors',
      'report.html',
      'log.jsonl',
      'checkpoint-000000008.safetensors',
    ])
      expect(files).toContain(name)
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('held out: landmarkError')
    const tensors = tf.memory().numTensors
    await expect(
      loadRegressor(join(folder, 'regressor.safetensors'), {
        for: { layout: { ...model.layout, albedo: 3 } },
      }),
    ).rejects.toThrow(/albedo/)
    expect(tf.memory().numTensors).toBe(tensors)
  })
})
