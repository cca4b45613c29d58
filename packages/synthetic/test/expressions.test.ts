import { loadBaseModel } from '@facekit/base-model'
import { evaluateShape, gatherVertices } from '@facekit/morphable'
import { createFaceSynthesizer, disposeBatch } from '@facekit/synthetic'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

describe('expressions', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: whoever it is, lips often touch and lids are often shut, and then they do so exactly', async () => {
    const model = await loadBaseModel()
    const batch = 16
    const synthesizer = createFaceSynthesizer(model, { size: 32, batch, seed: 4 })
    const lips: number[] = []
    const lids: number[] = []
    for (let round = 0; round < 10; round++) {
      const pictures = synthesizer.next()
      const points = tf.tidy(() => {
        const { identity, expression } = pictures.parameters
        return gatherVertices(evaluateShape(model, { identity, expression }), model.landmarks).arraySync()
      })
      disposeBatch(pictures)
      for (const face of points) {
        const gap = (upper: number, lower: number) => face[upper][1] - face[lower][1]
        lips.push(Math.max(gap(61, 67), gap(62, 66), gap(63, 65)))
        lids.push((gap(37, 41) + gap(38, 40)) / 2)
      }
    }
    synthesizer.dispose()
    const share = (gaps: number[], from: number, to: number) =>
      gaps.filter((gap) => gap > from && gap < to).length / gaps.length
    const touching = share(lips, -0.6, 0.3)
    expect(touching).toBeGreaterThan(0.35)
    expect(touching).toBeLessThan(0.58)
    // Overlapping lips are as wrong as parted ones.
    expect(share(lips, -Infinity, -0.6)).toBeLessThan(0.03)
    const shut = share(lids, -Infinity, 0.4)
    expect(shut).toBeGreaterThan(0.07)
    expect(shut).toBeLessThan(0.22)
    expect(share(lids, -Infinity, -0.8)).toBe(0)
    expect(share(lips, 4, Infinity)).toBeGreaterThan(0.15)
    expect(share(lids, 6, Infinity)).toBeGreaterThan(0.2)
  })
})
