import { shadingShare } from '@facekit/illumination'
import { describe, expect, it } from 'vitest'

const degrees = (angle: number) => (angle * Math.PI) / 180

describe('shadingShare', () => {
  it('value: whole up to 10 degrees, half at 35, nothing from 60, either way', () => {
    for (const [angle, share] of [
      [0, 1],
      [10, 1],
      [35, 0.5],
      [60, 0],
      [180, 0],
    ])
      for (const sign of [-1, 1]) expect(shadingShare(sign * degrees(angle))).toBeCloseTo(share, 9)
  })

  it('value: it falls without a jump', () => {
    for (let angle = 0; angle < 90; angle++) {
      const fall = shadingShare(degrees(angle)) - shadingShare(degrees(angle + 1))
      expect([fall >= 0, fall < 0.031]).toEqual([true, true])
    }
  })
})
