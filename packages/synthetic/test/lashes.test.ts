import { loadBaseModel } from '@facekit/base-model'
import { createFaceSynthesizer, disposeBatch } from '@facekit/synthetic'
import { useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const SIZE = 192
const BATCH = 8
/** Upper lids of iBUG, and the corners of their eyes. */
const LIDS = [
  [37, 38, 36, 39],
  [43, 44, 42, 45],
] as const

describe('lashes', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: below shut lids it is darker than on the cheek', async () => {
    const model = await loadBaseModel()
    const synthesizer = createFaceSynthesizer(model, {
      size: SIZE,
      batch: BATCH,
      seed: 4,
      fixed: { expression: { eyeBlinkLeft: 1, eyeBlinkRight: 1 }, rotation: [0, 0, 0] },
      occluders: { hat: 0, glasses: 0, sunglasses: 0, hand: 0, object: 0, mask: 0, scarf: 0, patch: 0 },
      camera: { blur: 0, noise: 0, color: 0, compression: 0 },
    })
    const batch = synthesizer.next()
    const [pixels, points] = (await Promise.all([batch.image.data(), batch.landmarks.data()])).map((values) =>
      Float32Array.from(values),
    )
    const at = (face: number, landmark: number) => {
      const from = 2 * (68 * face + landmark)
      return points.subarray(from, from + 2)
    }
    let sum = 0
    for (let face = 0; face < BATCH; face++) {
      for (const [first, second, corner, other] of LIDS) {
        const [a, b, left, right] = [first, second, corner, other].map((landmark) => at(face, landmark))
        const width = Math.hypot(right[0] - left[0], right[1] - left[1])
        const [x, y] = [0, 1].map((axis) => (a[axis] + b[axis]) / 2)
        /** Of a row of pixels so many widths of the eye below the lid. */
        const brightness = (below: number) => {
          const row = Math.round(y + below * width)
          const start = ((face * SIZE + row) * SIZE + Math.round(x - 3)) * 3
          return pixels.subarray(start, start + 18).reduce((total, value) => total + value, 0) / 18
        }
        sum += brightness(0.14) / brightness(0.4) / (2 * BATCH)
      }
    }
    expect(sum).toBeLessThan(0.89)
    disposeBatch(batch)
    synthesizer.dispose()
  })
})
