import ndarray, { type NdArray } from 'ndarray'
import { describe, expect, it } from 'vitest'
import { ShapeError, ValueError } from '@facekit/core'
import { applyTransform, faceRegion, innerMouthArea } from '@facekit/annotate'
import { meanFace } from './mean-face.js'

const sum = ({ data }: NdArray<Float32Array>) => data.reduce((total, value) => total + value, 0)

describe('innerMouthArea', () => {
  const areaOf = (corners: readonly (readonly [number, number])[], size: number) => {
    const landmarks = meanFace()
    corners.forEach(([x, y], i) => {
      landmarks.set(60 + i, 0, x)
      landmarks.set(60 + i, 1, y)
    })
    return innerMouthArea(landmarks, { size })
  }
  const box = (left: number, top: number, right: number, bottom: number): [number, number][] => {
    const [x, y] = [(left + right) / 2, (top + bottom) / 2]
    return [
      [left, top],
      [x, top],
      [right, top],
      [right, y],
      [right, bottom],
      [x, bottom],
      [left, bottom],
      [left, y],
    ]
  }

  it('value: areas are exact for upright edges, near for others, whichever way the corners turn', () => {
    const mask = areaOf(box(2.25, 3.5, 7.75, 9), 12)
    expect(sum(mask)).toBeCloseTo(5.5 * 5.5, 4)
    expect(mask.get(5, 2)).toBeCloseTo(0.75, 5)
    const octagon = Array.from({ length: 8 }, (_, i): [number, number] => {
      const angle = (2 * Math.PI * (i + 0.3)) / 8
      return [50 + 30 * Math.cos(angle), 50 + 30 * Math.sin(angle)]
    })
    const exact = 4 * 30 ** 2 * Math.sin(Math.PI / 4)
    expect(sum(areaOf(octagon, 100)) / exact).toBeCloseTo(1, 2)
    expect(sum(areaOf(octagon.toReversed(), 100))).toBeCloseTo(sum(areaOf(octagon, 100)), 2)
  })

  it('value: what lies outside of the picture does not count', () => {
    expect(sum(areaOf(box(-2, 1, 2, 5), 12))).toBeCloseTo(8, 4)
  })
})

describe('faceRegion', () => {
  const landmarks = meanFace()

  it('shape: [S, S], within 0..1', () => {
    const mask = faceRegion(landmarks)
    expect(mask.shape).toEqual([224, 224])
    expect(Math.min(...mask.data)).toBe(0)
    expect(Math.max(...mask.data)).toBe(1)
  })

  it('value: cheeks, nose and forehead are in, corners and background are not', () => {
    const mask = faceRegion(landmarks)
    for (const [x, y] of [
      [80, 130],
      [145, 130],
      [112, 110],
      [112, 30],
      [78, 85],
      [112, 190],
    ]) {
      expect(mask.get(y, x)).toBe(1)
    }
    for (const [x, y] of [
      [5, 5],
      [219, 5],
      [10, 200],
      [112, 215],
      [210, 120],
    ]) {
      expect(mask.get(y, x)).toBe(0)
    }
  })

  it('value: it is as symmetric as the landmarks, and scales with them', () => {
    const mask = faceRegion(landmarks)
    const mirrored = mask.step(1, -1)
    const differences = Float64Array.from(mask.data, (value, i) =>
      Math.abs(value - mirrored.get(Math.floor(i / 224), i % 224)),
    )
    expect(differences.reduce((a, b) => Math.max(a, b))).toBeLessThan(0.1)
    const half = applyTransform({ scale: 0.5, rotation: 0, translation: [0, 0] }, landmarks)
    expect((4 * sum(faceRegion(half, { size: 112 }))) / sum(mask)).toBeCloseTo(1, 2)
    const turned = applyTransform({ scale: 0.6, rotation: 0.7, translation: [90, -20] }, landmarks)
    const straight = applyTransform({ scale: 0.6, rotation: 0, translation: [40, 40] }, landmarks)
    expect(sum(faceRegion(turned)) / sum(faceRegion(straight))).toBeCloseTo(1, 1)
  })

  it('value: options take parts out or in', () => {
    const open = meanFace()
    for (const i of [61, 62, 63]) open.set(i, 1, open.get(i, 1) - 8)
    for (const i of [65, 66, 67]) open.set(i, 1, open.get(i, 1) + 8)
    const area = sum(innerMouthArea(open))
    expect(area).toBeGreaterThan(400)
    const [without, withMouth] = [faceRegion(open), faceRegion(open, { innerMouth: true })]
    expect(sum(withMouth) - sum(without)).toBeCloseTo(area, 0)
    expect(without.get(158, 112)).toBe(0)
    expect(faceRegion(open, { eyes: false }).get(86, 80)).toBe(0)
    expect(sum(faceRegion(open, { forehead: 0.3 }))).toBeLessThan(sum(without))
    const soft = faceRegion(open, { softness: 4 })
    const between = (mask: NdArray<Float32Array>) =>
      (mask.data as Float32Array).filter((value) => value > 0.05 && value < 0.95).length
    expect(between(soft)).toBeGreaterThan(3 * between(without))
  })

  it('value: outside of the picture it is 0', () => {
    const inside = ndarray(new Float32Array(224 * 224).fill(1), [224, 224])
    for (let y = 0; y < 224; y++) for (let x = 120; x < 224; x++) inside.set(y, x, 0)
    const mask = faceRegion(landmarks, { inside, softness: 3 })
    expect(mask.get(130, 150)).toBe(0)
    expect(mask.get(130, 80)).toBe(1)
  })

  it('value: landmarks far outside or in one point do no harm', () => {
    const far = applyTransform({ scale: 1, rotation: 0, translation: [5000, 5000] }, landmarks)
    expect(sum(faceRegion(far))).toBe(0)
    expect(sum(faceRegion(ndarray(new Float32Array(136).fill(50), [68, 2])))).toBe(0)
  })

  it('throws: wrong shapes and options', () => {
    expect(() => faceRegion(ndarray(new Float32Array(10), [5, 2]))).toThrow(ShapeError)
    expect(() => faceRegion(landmarks, { size: 0 })).toThrow(ValueError)
    expect(() => faceRegion(landmarks, { forehead: -1 })).toThrow(ValueError)
    expect(() => faceRegion(landmarks, { inside: ndarray(new Float32Array(4), [2, 2]) })).toThrow(ShapeError)
    expect(() => innerMouthArea(ndarray(new Float32Array(10), [5, 2]))).toThrow(ShapeError)
  })
})

describe('innerMouthArea', () => {
  it('value: a closed mouth covers nearly nothing, an open one its polygon', () => {
    const closed = meanFace()
    for (const [upper, lower] of [
      [61, 67],
      [62, 66],
      [63, 65],
    ]) {
      const middle = (closed.get(upper, 1) + closed.get(lower, 1)) / 2
      for (const i of [upper, lower]) closed.set(i, 1, middle)
      closed.set(lower, 0, closed.get(upper, 0))
    }
    expect(sum(innerMouthArea(closed))).toBeLessThan(2)
    const mask = innerMouthArea(meanFace())
    expect(sum(mask)).toBeGreaterThan(100)
    expect(sum(mask)).toBeLessThan(300)
  })
})
