import { expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { fitToLandmarks } from './index.js'

describe('03-fit-to-landmarks', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: the landmarks are met, by descent and by fitLandmarks', async () => {
    const { before, descended, fitted, png } = await fitToLandmarks(5, 100)
    expect(before).toBeGreaterThan(0.05)
    expect(descended).toBeLessThan(0.01)
    expect(fitted).toBeLessThan(0.01)
    // The header of a PNG has its width at byte 16.
    expect(new DataView(png.buffer, png.byteOffset).getUint32(16)).toBe(3 * 224 + 16)
  })

  it('memory: nothing is left', () => expectNoLeak(() => fitToLandmarks(6, 2)))
})
