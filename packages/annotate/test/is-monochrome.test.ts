import { isMonochrome } from '@facekit/annotate'
import { createRandom } from '@facekit/core'
import ndarray from 'ndarray'
import { describe, expect, it } from 'vitest'

/** 48 x 48 pixels, each of a random brightness, with a little noise. */
function picture(color: (brightness: number, column: number) => readonly number[], noise = 0.004) {
  const random = createRandom(7)
  const image = ndarray(new Float32Array(48 * 48 * 3), [48, 48, 3])
  for (let y = 0; y < 48; y++)
    for (let x = 0; x < 48; x++) {
      const values = color(random.uniform(0.1, 0.9), x)
      for (let c = 0; c < 3; c++) image.set(y, x, c, values[c] + random.normal(0, noise))
    }
  return image
}

describe('isMonochrome', () => {
  it('value: gray and toned pictures are, with the noise of a file', () => {
    expect(isMonochrome(picture((g) => [g, g, g]))).toBe(true)
    expect(isMonochrome(picture((g) => [g + 0.2 * g * (1 - g), g, g - 0.3 * g * (1 - g)], 0.002))).toBe(true)
  })

  it('value: a picture of few colours is not, nor is an even plane', () => {
    // A twentieth of it is red: lips.
    expect(isMonochrome(picture((g, x) => (x < 3 ? [g + 0.1, g, g] : [g, g, g])))).toBe(false)
    expect(isMonochrome(picture((g, x) => (x < 24 ? [1.2 * g, g, 0.8 * g] : [g, g, g])))).toBe(false)
    expect(isMonochrome(picture(() => [0.5, 0.5, 0.5], 0))).toBe(false)
  })
})
