import ndarray, { type NdArray } from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { ShapeError, ValueError } from '@facekit/core'
import { annotate, closeEyes, type Picture, type Points } from '@facekit/annotate'
import { useBackend } from '@facekit/testing'
import { meanFace, paint } from './mean-face.js'
import { demoFace, type DemoFace } from './photos.js'

type Color = readonly [number, number, number]
const tones: Record<string, Color> = { light: [225, 185, 165], middle: [170, 120, 95], dark: [85, 55, 42] }
const WHITE: Color = [215, 210, 205]
const IRIS: Color = [45, 30, 25]
const LASHES: Color = [35, 22, 18]

/** Landmarks of the mean face with lids as the landmark network puts them, 0.26 of the width apart whatever the eyes do. */
function landmarksOf(): Points {
  const landmarks = meanFace()
  for (const corner of [36, 42]) {
    const [x, y] = [landmarks.get(corner, 0), landmarks.get(corner, 1)]
    const width = landmarks.get(corner + 3, 0) - x
    ;[0, 1 / 3, 2 / 3, 1, 2 / 3, 1 / 3].forEach((share, k) => {
      landmarks.set(corner + k, 0, x + share * width)
      landmarks.set(corner + k, 1, y + (k === 1 || k === 2 ? -0.16 : k > 3 ? 0.1 : 0) * width)
    })
  }
  return landmarks
}

/** A crop with eyes, each open or shut. */
function paintEyes(isShut: Record<36 | 42, boolean>, skin: Color): NdArray<Float32Array> {
  const landmarks = landmarksOf()
  const picture = paint(224, 224, (x, y) => {
    for (const corner of [36, 42] as const) {
      const width = landmarks.get(corner + 3, 0) - landmarks.get(corner, 0)
      const u = (x - landmarks.get(corner, 0)) / width - 0.5
      const v = (y - landmarks.get(corner, 1)) / width
      if (Math.abs(u) > 0.5) continue
      const arch = 1 - (2 * u) ** 2
      if (isShut[corner]) {
        if (Math.abs(v - 0.12 * arch) < 0.035) return [...LASHES]
      } else if (v > -0.17 * arch && v < 0.1 * arch) {
        if (v < -0.17 * arch + 0.05) return [...LASHES]
        return [...(Math.hypot(u, v + 0.04) < 0.15 ? IRIS : WHITE)]
      }
    }
    return [...skin]
  })
  return ndarray(
    Float32Array.from(picture.data, (value) => value / 255),
    [224, 224, 3],
  )
}

/** Heights of both eyes over their widths. */
const openings = (landmarks: Points) =>
  [36, 42].map((corner) => {
    const height = (above: number, below: number) => landmarks.get(below, 1) - landmarks.get(above, 1)
    const width = landmarks.get(corner + 3, 0) - landmarks.get(corner, 0)
    return (height(corner + 1, corner + 5) + height(corner + 2, corner + 4)) / 2 / width
  })

describe('closeEyes', () => {
  it.each(Object.keys(tones))('value: shut eyes are closed, open ones stay as they are, %s skin', (tone) => {
    const landmarks = landmarksOf()
    const shut = closeEyes(paintEyes({ 36: true, 42: true }, tones[tone]), landmarks)
    for (const opening of openings(shut)) expect(opening).toBeCloseTo(0.02, 3)
    const open = closeEyes(paintEyes({ 36: false, 42: false }, tones[tone]), landmarks)
    expect(Array.from(open.data)).toEqual(Array.from(landmarks.data))
  })

  it('value: only the upper lids move, down to the lower ones', () => {
    const landmarks = landmarksOf()
    const shut = closeEyes(paintEyes({ 36: true, 42: true }, tones.middle), landmarks)
    for (let i = 0; i < 68; i++) {
      const moved = shut.get(i, 0) !== landmarks.get(i, 0) || shut.get(i, 1) !== landmarks.get(i, 1)
      expect(moved).toBe([37, 38, 43, 44].includes(i))
    }
  })

  it('value: one that seems shut beside one that is clearly open stays as it is', () => {
    const landmarks = landmarksOf()
    const wink = closeEyes(paintEyes({ 36: true, 42: false }, tones.light), landmarks)
    expect(openings(wink)[1]).toBe(openings(landmarks)[1])
    expect(openings(wink)[0]).toBeGreaterThan(0.2)
  })

  it('value: enlarged from a few pixels, flat, or collapsed: nothing is believed', () => {
    const landmarks = landmarksOf()
    const image = paintEyes({ 36: true, 42: true }, tones.middle)
    expect(Array.from(closeEyes(image, landmarks, { scale: 12 }).data)).toEqual(Array.from(landmarks.data))
    const point = ndarray(new Float32Array(136).fill(100), [68, 2])
    expect(Array.from(closeEyes(image, point).data)).toEqual(Array.from(point.data))
  })

  it('value: moves without jumps when the landmarks do', () => {
    const image = paintEyes({ 36: true, 42: true }, tones.middle)
    const seen = Array.from({ length: 481 }, (_, k) => {
      const landmarks = landmarksOf()
      for (let i = 0; i < 68; i++) landmarks.set(i, 1, landmarks.get(i, 1) - 12 + 0.05 * k)
      return openings(closeEyes(image, landmarks))
    })
    const jumps = seen.slice(1).flatMap((now, k) => now.map((value, i) => Math.abs(value - seen[k][i])))
    expect(Math.max(...jumps)).toBeLessThan(0.15)
  })

  it('throws: other shapes, a scale that is none', () => {
    const image = paintEyes({ 36: true, 42: true }, tones.middle)
    expect(() => closeEyes(image, ndarray(new Float32Array(10), [5, 2]))).toThrow(ShapeError)
    expect(() => closeEyes(image, landmarksOf(), { scale: 0 })).toThrow(ValueError)
  })
})

/** The picture with skin in place of the eyes, and a line of lashes along the lower lid. */
function withShutEyes({ picture, landmarks }: DemoFace): Picture {
  const shut: Picture = ndarray(Uint8Array.from(picture.data), picture.shape)
  for (const first of [36, 42]) {
    const [x0, x1] = [landmarks.get(first, 0), landmarks.get(first + 3, 0)]
    const lid = (landmarks.get(first + 4, 1) + landmarks.get(first + 5, 1)) / 2
    const height = 0.45 * (x1 - x0)
    for (let x = Math.floor(x0 - 1); x <= x1 + 1; x++) {
      for (let y = Math.round(lid - height); y <= lid + 1; y++) {
        for (let c = 0; c < 3; c++) {
          const skin = picture.get(Math.round(lid + 0.3 * (x1 - x0)), x, c)
          shut.set(y, x, c, Math.abs(y - lid) < 1 ? 0.35 * skin : skin)
        }
      }
    }
  }
  return shut
}

describe('annotate and shut eyes', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: closes them, unless told not to', async () => {
    const picture = withShutEyes(await demoFace(1))
    const [shut] = await annotate(picture)
    const [open] = await annotate(picture, { eyes: false })
    expect(Math.max(...openings(shut.alignment.landmarks))).toBeLessThan(0.06)
    expect(Math.min(...openings(open.alignment.landmarks))).toBeGreaterThan(0.1)
    expect(shut.landmarks.get(30, 0)).toBe(open.landmarks.get(30, 0))
  })
})
