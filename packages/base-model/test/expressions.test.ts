import { loadBaseModel } from '@facekit/base-model'
import type { MorphableModel } from '@facekit/morphable'
import { beforeAll, describe, expect, it } from 'vitest'
import { at, frontArea, shapeOf } from './model-helpers.js'

describe.each(['scans', 'learned', 'synthetic'] as const)('%s', (variant) => {
  let model: MorphableModel
  let mean: Float32Array

  beforeAll(async () => {
    model = await loadBaseModel({ variant })
    mean = model.shape.mean.data as Float32Array
  })

  /** Sum of the squared displacements at x > 0 and at x < 0. */
  function sides(name: string): { left: number; right: number } {
    const shape = shapeOf(model, { expression: { [name]: 1 } })
    const result = { left: 0, right: 0 }
    for (let i = 0; i < model.vertexCount; i++) {
      const squared = at(shape, i).reduce((sum, value, c) => sum + (value - mean[i * 3 + c]) ** 2, 0)
      if (mean[i * 3] > 0) result.left += squared
      else result.right += squared
    }
    return result
  }
  const moved = (name: string, vertex: number) =>
    at(shapeOf(model, { expression: { [name]: 1 } }), vertex).map((value, c) => value - mean[vertex * 3 + c])

  describe('expressions', () => {
    it('value: left and right are the subject’s: left moves vertices at x > 0', () => {
      // Whole-mouth and jaw shifts are named by where they go.
      const halves = model.shape.expressionNames!.filter(
        (name) => name.endsWith('Left') && !['jawLeft', 'mouthLeft'].includes(name),
      )
      expect(halves.length).toBe(20)
      // Scanned expressions of one half of the mouth draw the other one along.
      const ratio = variant === 'scans' ? 4 : 10
      for (const name of halves) {
        const left = sides(name)
        expect(left.left).toBeGreaterThan(ratio * left.right)
        const right = sides(name.replace('Left', 'Right'))
        expect(right.right).toBeGreaterThan(ratio * right.left)
        expect(right.right).toBeCloseTo(left.left, -Math.log10(left.left * 0.12))
      }
      expect(moved('jawLeft', 152)[0]).toBeGreaterThan(4)
      expect(moved('mouthRight', 13)[0]).toBeLessThan(-4)
    })

    it('value: each mode moves something, nothing absurdly far', () => {
      const size = model.vertexCount * 3
      const basis = model.shape.expression.data
      for (let k = 0; k < model.layout.expression; k++) {
        let largest = 0
        for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(basis[k * size + i]))
        expect(largest).toBeGreaterThan(1)
        expect(largest).toBeLessThan(40)
      }
    })

    it('value: the mouth opens with the jaw, between the lips, around the joints', () => {
      const area = (amount: number) =>
        frontArea(shapeOf(model, { expression: { jawOpen: amount } }), model.innerMouthTriangles).front
      expect(area(0)).toBeLessThan(40)
      expect(area(0.5)).toBeGreaterThan(area(0.25))
      expect(area(1)).toBeGreaterThan(500)
      expect(moved('jawOpen', 152)[1]).toBeLessThan(-15)
      expect(Math.hypot(...moved('jawOpen', 0))).toBeLessThan(3)
      expect(Math.hypot(...moved('jawOpen', 234))).toBeLessThan(1.5)
      expect(Math.hypot(...moved('jawOpen', 10))).toBeLessThan(0.5)
    })

    it('value: a blink closes the eye over the eyeball and does not move it', () => {
      const shape = shapeOf(model, { expression: { eyeBlinkLeft: 1 } })
      const open = mean[386 * 3 + 1] - mean[374 * 3 + 1]
      const closed = shape[386 * 3 + 1] - shape[374 * 3 + 1]
      expect(open).toBeGreaterThan(6)
      expect(closed).toBeLessThan(0.12 * open)
      const pupil = model.regions!.eyeLeft[0]
      expect(moved('eyeBlinkLeft', pupil)).toEqual([0, 0, 0])
      // Half closed and closed, the lid stays outside of the eyeball, a sphere around a point 16 mm behind the pupil.
      const center = at(mean, pupil).map((value, c) => value - (c === 2 ? 16 : 0))
      for (const amount of [0.5, 1]) {
        const lid = at(shapeOf(model, { expression: { eyeBlinkLeft: amount } }), 386)
        expect(Math.hypot(...lid.map((value, c) => value - center[c]))).toBeGreaterThan(16)
      }
    })

    it('value: gaze turns one eye to the side of its name', () => {
      const [left, right] = [model.regions!.eyeLeft[0], model.regions!.eyeRight[0]]
      expect(moved('eyeLookInLeft', left)[0]).toBeLessThan(-4)
      expect(moved('eyeLookOutLeft', left)[0]).toBeGreaterThan(4)
      expect(moved('eyeLookInRight', right)[0]).toBeGreaterThan(4)
      expect(moved('eyeLookOutRight', right)[0]).toBeLessThan(-4)
      expect(moved('eyeLookUpLeft', left)[1]).toBeGreaterThan(4)
      expect(moved('eyeLookDownRight', right)[1]).toBeLessThan(-4)
      expect(moved('eyeLookInLeft', right)).toEqual([0, 0, 0])
    })

    it('value: corners of the mouth, brows and lids go where the names say', () => {
      expect(moved('mouthSmileLeft', 291)[1]).toBeGreaterThan(4)
      expect(moved('mouthSmileLeft', 291)[0]).toBeGreaterThan(4)
      expect(moved('mouthFrownRight', 61)[1]).toBeLessThan(-4)
      expect(moved('mouthPucker', 61)[0]).toBeGreaterThan(4)
      expect(moved('mouthPucker', 0)[2]).toBeGreaterThan(2)
      expect(moved('browInnerUpLeft', 336)[1]).toBeGreaterThan(4)
      expect(moved('browDownRight', 107)[1]).toBeLessThan(-1.2)
      expect(moved('browOuterUpRight', 63)[1]).toBeGreaterThan(4)
      expect(moved('eyeWideLeft', 386)[1]).toBeGreaterThan(1.5)
      expect(moved('noseSneerRight', 129)[1]).toBeGreaterThan(2)
      expect(moved('cheekPuffLeft', 427)[2]).toBeGreaterThan(2)
      expect(moved('mouthUpperUpLeft', 270)[1]).toBeGreaterThan(3)
      expect(moved('mouthLowerDownLeft', 321)[1]).toBeLessThan(-2.5)
    })
  })
})
