import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { BackendError, ValueError } from '@facekit/core'
import { initEngine, type BackendName } from '@facekit/engine'

describe('initEngine', () => {
  it.each(['cpu', 'wasm'] as const)('smoke: starts %s and computes', async (backend) => {
    const info = await initEngine({ backend })
    expect(info.backend).toBe(backend)
    expect(tf.getBackend()).toBe(backend)
    expect(info.reason).not.toBe('')
    expect(await tf.tidy(() => tf.matMul([[1, 2]], [[3], [4]])).data()).toEqual(new Float32Array([11]))
  })

  it('value: auto takes the best candidate and says why', async () => {
    const info = await initEngine({ backend: 'auto', candidates: ['cpu', 'wasm'] })
    expect(info.backend).toBe('wasm')
    expect(info.simd).toBe(true)
    expect(info.considered.map(({ backend }) => backend)).toEqual(['wasm'])
  })

  it('value: without a wish it keeps what runs', async () => {
    await initEngine({ backend: 'cpu' })
    expect((await initEngine()).backend).toBe('cpu')
    expect((await initEngine({ backend: 'auto', candidates: ['wasm'] })).backend).toBe('wasm')
  })

  it('value: concurrent calls do not disturb each other; the last one stays', async () => {
    const wanted: BackendName[] = ['wasm', 'cpu', 'wasm', 'cpu']
    const infos = await Promise.all(wanted.map((backend) => initEngine({ backend })))
    expect(infos.map(({ backend }) => backend)).toEqual(wanted)
    expect(tf.getBackend()).toBe('cpu')
  })

  it('throws: for an unknown backend', async () => {
    await expect(initEngine({ backend: 'gpu' as BackendName })).rejects.toThrow(ValueError)
  })

  it('throws: when nothing of what is allowed works', async () => {
    await expect(initEngine({ backend: 'auto', candidates: [] })).rejects.toThrow(BackendError)
  })
})
