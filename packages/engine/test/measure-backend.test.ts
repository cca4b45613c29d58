import * as tf from '@tensorflow/tfjs-core'
import { afterAll, expect, it } from 'vitest'
import { initEngine, inspectBackends, measureBackend } from '@facekit/engine'

afterAll(async () => {
  await initEngine({ backend: 'cpu' })
})

it('memory: measuring leaves nothing behind', async () => {
  await initEngine({ backend: 'wasm' })
  const before = tf.memory().numTensors
  const speed = await measureBackend(60)
  expect(tf.memory().numTensors).toBe(before)
  expect(Object.values(speed).every((value) => value > 0 && Number.isFinite(value))).toBe(true)
})

it('value: backends are measured only when asked for; their memory is told', async () => {
  const reports = await inspectBackends()
  for (const { available, memory, speed } of reports) {
    expect(memory !== undefined).toBe(available)
    expect(speed).toBeUndefined()
  }
})
