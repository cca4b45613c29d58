import { ShapeError, ValueError } from '@facekit/core'
import { bakeTexture, bakeFaceTextures, decodeSrgb, encodeSrgb } from '@facekit/export'
import { describe, expect, it } from 'vitest'
import { createDome } from './dome.js'

const square = new Float32Array([0, 0, 1, 0, 0, 1, 1, 1])
const two = new Int32Array([0, 1, 2, 1, 3, 2])

describe('bakeTexture', () => {
  it('value: interpolates colours over texture space, v up', () => {
    const colors = new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0]) // red = u, green = v
    const texture = bakeTexture(colors, square, two, { size: 4 })
    expect(texture.shape).toEqual([4, 4, 3])
    for (let row = 0; row < 4; row++) {
      for (let column = 0; column < 4; column++) {
        expect(texture.get(row, column, 0)).toBeCloseTo((column + 0.5) / 4, 5)
        expect(texture.get(row, column, 1)).toBeCloseTo(1 - (row + 0.5) / 4, 5)
      }
    }
  })

  it('value: triangles of both windings are drawn', () => {
    const colors = new Float32Array(12).fill(0.5)
    const flipped = bakeTexture(colors, square, new Int32Array([0, 2, 1, 1, 2, 3]), { size: 3 })
    expect([...flipped.data]).toEqual(Array(27).fill(0.5))
  })

  it('value: the border grows outwards in its own colour, the rest is the mean', () => {
    const uv = new Float32Array([0.4, 0.4, 0.6, 0.4, 0.4, 0.6, 0.6, 0.6])
    const colors = new Float32Array([0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0])
    const texture = bakeTexture(colors, uv, two, { size: 100 })
    expect(texture.get(50, 61, 0)).toBeGreaterThan(0.9) // beside the right edge
    expect(texture.get(50, 38, 0)).toBeLessThan(0.1) // beside the left edge
    expect(texture.get(0, 0, 0)).toBeCloseTo(0.5, 2)
  })

  it('value: degenerate triangles and places outside of the square are harmless', () => {
    const uv = new Float32Array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 3, -2])
    const texture = bakeTexture(new Float32Array(12).fill(0.25), uv, two, { size: 8 })
    expect(texture.data.every((value) => Number.isFinite(value))).toBe(true)
  })

  it('throws: when sizes do not fit', () => {
    expect(() => bakeTexture(new Float32Array(9), square, two)).toThrow(ShapeError)
    expect(() => bakeTexture(new Float32Array(12), square, two, { size: 100_000 })).toThrow(ValueError)
  })
})

describe('bakeFaceTextures', () => {
  it('value: diffuse is sRGB, specular is sRGB times its scale', () => {
    const dome = createDome()
    const { diffuse, specular, specularScale } = bakeFaceTextures(dome, { size: 64 })
    expect(specularScale).toBeCloseTo(0.06, 6)
    // The middle of the map is the middle of the dome: red 0.5, specular 0.045, 0.04, 0.04.
    expect(decodeSrgb(diffuse.get(32, 32, 0) / 255)).toBeCloseTo(0.5, 1)
    expect(diffuse.get(32, 32, 1)).toBeCloseTo(255 * encodeSrgb(0.35), -1)
    expect(decodeSrgb(specular.get(32, 32, 1) / 255) * specularScale).toBeCloseTo(0.04, 3)
  })

  it('throws: a mesh without UV has no maps', () => {
    expect(() => bakeFaceTextures({ ...createDome(), uv: undefined })).toThrow(/mesh.uv is missing/)
  })
})

describe('encodeSrgb', () => {
  it('value: known points, and back', () => {
    expect(encodeSrgb(0.5)).toBeCloseTo(0.735357, 5)
    expect(encodeSrgb(0.002)).toBeCloseTo(0.02584, 5)
    expect(encodeSrgb(-1)).toBe(0)
    expect(encodeSrgb(2)).toBeCloseTo(1, 12)
    for (const value of [0, 0.001, 0.2, 0.9, 1]) expect(decodeSrgb(encodeSrgb(value))).toBeCloseTo(value, 6)
  })
})
