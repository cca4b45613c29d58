import ndarray, { type NdArray } from 'ndarray'
import { describe, expect, it } from 'vitest'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { annotate, applyTransform, closeLips, type Points } from '@facekit/annotate'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@facekit/testing'
import { meanFace, paint } from './mean-face.js'
import { demoCut } from './photos.js'

type Color = readonly [number, number, number]
const SKIN: Color = [205, 160, 135]
const LIP: Color = [170, 90, 85]
const DARK: Color = [40, 14, 12]
const TEETH: Color = [225, 215, 205]
const MIDDLE = 157

/** Landmarks of the mean face with a mouth 52 wide, whose inner lips are `gap` of that apart, around `middle`. */
function mouth(gap: number, middle = MIDDLE): Points {
  const landmarks = meanFace()
  const put = (i: number, x: number, y: number) => {
    landmarks.set(i, 0, 112 + x)
    landmarks.set(i, 1, middle + y)
  }
  const half = (52 * gap) / 2
  const outer = [-26, -16, -7, 0, 7, 16, 26]
  outer.forEach((x, k) => put(48 + k, x, -(half + 8) * Math.sqrt(1 - (x / 26) ** 2)))
  outer.slice(1, 6).forEach((x, k) => put(59 - k, x, (half + 10) * Math.sqrt(1 - (x / 26) ** 2)))
  ;[-22, -7, 0, 7, 22].forEach((x, k) => put(60 + k, x, Math.abs(x) < 20 ? -half : 0))
  ;[7, 0, -7].forEach((x, k) => put(65 + k, x, half))
  return landmarks
}

/** A crop with lips that are `gap` of the width apart, and what is between them; the seam of closed lips is 1.5 pixels high. */
function paintMouth(gap: number, inside: Color = DARK, noise = 0): NdArray<Float32Array> {
  const random = createRandom(5)
  const half = Math.max(0.75, (52 * gap) / 2)
  const at = (x: number, y: number): Color => {
    const across = 1 - (x / 26) ** 2
    if (across <= 0) return SKIN
    if (Math.abs(y) < half * Math.sqrt(across)) {
      return gap > 0 && Math.abs(y) < half * Math.sqrt(across) - 1 ? inside : DARK
    }
    const border = (y < 0 ? half + 8 : half + 10) * Math.sqrt(across)
    return Math.abs(y) < border ? LIP : SKIN
  }
  const picture = paint(224, 224, (x, y) => {
    const mean = [0, 0, 0]
    for (let k = 0; k < 16; k++) {
      const color = at(x - 112 + ((k % 4) - 1.5) / 4, y - MIDDLE + ((k >> 2) - 1.5) / 4)
      for (let c = 0; c < 3; c++) mean[c] += color[c] / 16
    }
    return mean.map((value) => Math.min(255, Math.max(0, value + (noise > 0 ? random.normal(0, noise) : 0))))
  })
  return ndarray(
    Float32Array.from(picture.data, (value) => value / 255),
    [224, 224, 3],
  )
}

const pairs = [
  [61, 67],
  [62, 66],
  [63, 65],
]

/** Mean distance of the inner pairs over the mouth's usual width. */
function gapOf(landmarks: Points): number {
  const distance = ([a, b]: number[]) =>
    Math.hypot(landmarks.get(b, 0) - landmarks.get(a, 0), landmarks.get(b, 1) - landmarks.get(a, 1))
  return pairs.reduce((sum, pair) => sum + distance(pair), 0) / 3 / 52
}

describe('closeLips', () => {
  it('smoke: gives 68 new points', () => {
    const landmarks = mouth(0.05)
    const closed = closeLips(paintMouth(0), landmarks)
    expect(closed.shape).toEqual([68, 2])
    expect(closed).not.toBe(landmarks)
    expect(gapOf(landmarks)).toBeCloseTo(0.05, 5)
  })

  it('value: closed lips meet on the seam, whatever small gap the landmarks have and wherever it lies', () => {
    const image = paintMouth(0, DARK, 3)
    for (const gap of [0, 0.02, 0.05, 0.07]) {
      for (const offset of [-2, 0, 2]) {
        const closed = closeLips(image, mouth(gap, MIDDLE + offset))
        expect(gapOf(closed)).toBeLessThan(0.005)
        for (const i of pairs.flat()) expect(Math.abs(closed.get(i, 1) - MIDDLE)).toBeLessThan(0.8)
      }
    }
    expect(gapOf(closeLips(image, mouth(0.09)))).toBeLessThan(0.03)
  })

  it('value: an open mouth keeps its gap, dark or with teeth; gaps above 0.15 are not touched at all', () => {
    for (const inside of [DARK, TEETH]) {
      for (const gap of [0.11, 0.13]) {
        expect(gapOf(closeLips(paintMouth(gap, inside, 3), mouth(gap)))).toBeGreaterThan(0.9 * gap)
      }
    }
    expect(gapOf(closeLips(paintMouth(0.1, TEETH), mouth(0.08)))).toBeGreaterThan(0.07)
    const wide = mouth(0.16)
    expect(closeLips(paintMouth(0), wide).data).toEqual(wide.data)
  })

  it('value: a gap never grows, lips that cross meet, other landmarks stay', () => {
    const random = createRandom(3)
    for (let i = 0; i < 20; i++) {
      const gap = random.uniform(0, 0.2)
      const image = paintMouth(random.uniform(0, 0.2), i % 2 ? DARK : TEETH)
      const before = mouth(gap, MIDDLE + random.uniform(-3, 3))
      const after = closeLips(image, before)
      expect(gapOf(after)).toBeLessThan(gap + 1e-4)
      for (let k = 0; k < 68; k++) {
        if (pairs.flat().includes(k)) continue
        expect([after.get(k, 0), after.get(k, 1)]).toEqual([before.get(k, 0), before.get(k, 1)])
      }
    }
    const crossed = closeLips(paintMouth(0), mouth(-0.04))
    expect(gapOf(crossed)).toBeLessThan(1e-4)
  })

  it('value: goes over from closed to open without a jump', () => {
    const image = paintMouth(0.06)
    let last = gapOf(closeLips(image, mouth(0)))
    for (let gap = 0.002; gap < 0.2; gap += 0.002) {
      const next = gapOf(closeLips(image, mouth(gap)))
      expect(Math.abs(next - last)).toBeLessThan(0.015)
      last = next
    }
  })

  it('value: where nothing can be seen only tiny gaps shrink', () => {
    const flat = ndarray(new Float32Array(224 * 224 * 3).fill(0.5), [224, 224, 3])
    for (const [image, scale] of [
      [flat, 1],
      [paintMouth(0), 10],
    ] as const) {
      expect(gapOf(closeLips(image, mouth(0.02), { scale }))).toBeLessThan(0.014)
      expect(gapOf(closeLips(image, mouth(0.02), { scale }))).toBeGreaterThan(0.004)
      expect(gapOf(closeLips(image, mouth(0.08), { scale }))).toBeCloseTo(0.08, 3)
    }
  })

  it('value: turned by a quarter, and in a crop of half the size, it does the same', () => {
    const half = ndarray(new Float32Array(112 * 112 * 3), [112, 112, 3])
    const image = paintMouth(0)
    for (let y = 0; y < 112; y++) {
      for (let x = 0; x < 112; x++) {
        for (let c = 0; c < 3; c++) {
          const at = (k: number) => image.get(2 * y + (k >> 1), 2 * x + (k & 1), c)
          half.set(y, x, c, (at(0) + at(1) + at(2) + at(3)) / 4)
        }
      }
    }
    const small = applyTransform({ scale: 0.5, rotation: 0, translation: [0, 0] }, mouth(0.06))
    expect(2 * gapOf(closeLips(half, small))).toBeLessThan(0.005)
    const quarter = ndarray(new Float32Array(224 * 224 * 3), [224, 224, 3])
    for (let y = 0; y < 224; y++) {
      for (let x = 0; x < 224; x++) {
        for (let c = 0; c < 3; c++) quarter.set(x, 223 - y, c, image.get(y, x, c))
      }
    }
    const turn = { scale: 1, rotation: Math.PI / 2, translation: [224, 0] as [number, number] }
    const turned = closeLips(quarter, applyTransform(turn, mouth(0.06)))
    const expected = applyTransform(turn, closeLips(image, mouth(0.06)))
    turned.data.forEach((value, i) => expect(value).toBeCloseTo(expected.data[i], 1))
  })

  it('value: landmarks in one point, outside, or not finite do no harm', () => {
    const image = paintMouth(0)
    const point = ndarray(new Float32Array(136).fill(50), [68, 2])
    expect(closeLips(image, point).data).toEqual(point.data)
    const far = applyTransform({ scale: 1, rotation: 0, translation: [5000, -5000] }, mouth(0.05))
    expect([...closeLips(image, far).data].every(Number.isFinite)).toBe(true)
    const none = ndarray(new Float32Array(136).fill(NaN), [68, 2])
    expect([...closeLips(image, none).data].every(Number.isNaN)).toBe(true)
  })

  it('throws: wrong shapes and scales', () => {
    const image = paintMouth(0)
    expect(() => closeLips(image, ndarray(new Float32Array(10), [5, 2]))).toThrow(ShapeError)
    expect(() => closeLips(ndarray(new Float32Array(16), [4, 4]), mouth(0))).toThrow(ShapeError)
    expect(() => closeLips(image, mouth(0), { scale: 0 })).toThrow(ValueError)
  })
})

describe('annotate', () => {
  const options = (landmarks: Points) => ({
    detector: async () => [{ box: { x: 0, y: 0, width: 224, height: 224 }, score: 1 }],
    landmarks: async () => landmarks,
    embedder: (images: tf.Tensor4D) => tf.reshape(tf.mean(images, [1, 2]), [-1, 3]) as tf.Tensor2D,
  })
  const picture = () => {
    const image = paintMouth(0)
    return ndarray(
      Uint8Array.from(image.data, (value) => Math.round(255 * value)),
      [224, 224, 3],
    )
  }

  it('value: closes lips in the crop, the picture and the label; `lips` replaces or switches it off', async () => {
    await useBackend('cpu')
    const landmarks = mouth(0.06)
    const [closed] = await annotate(picture(), options(landmarks))
    const [open] = await annotate(picture(), { ...options(landmarks), lips: false })
    expect(gapOf(closed.landmarks)).toBeLessThan(0.005)
    expect(gapOf(open.landmarks)).toBeCloseTo(0.06, 3)
    const area = (mask: NdArray<Float32Array>) => mask.data.reduce((sum, value) => sum + value, 0)
    expect(area(closed.innerMouth)).toBeLessThan(0.1 * area(open.innerMouth))
    const moved = applyTransform(closed.alignment.transform, closed.landmarks)
    moved.data.forEach((value, i) => expect(value).toBeCloseTo(closed.alignment.landmarks.data[i], 3))
    for (let i = 0; i < 120; i++)
      expect(closed.landmarks.get(i >> 1, i & 1)).toBe(landmarks.get(i >> 1, i & 1))
    const [own] = await annotate(picture(), {
      ...options(landmarks),
      lips: (_, points) => applyTransform({ scale: 1, rotation: 0, translation: [1, 0] }, points),
    })
    expect(own.alignment.landmarks.get(5, 0) - open.alignment.landmarks.get(5, 0)).toBeCloseTo(1, 3)
    const wrong = { ...options(landmarks), lips: () => ndarray(new Float32Array(4), [2, 2]) }
    await expect(annotate(picture(), wrong)).rejects.toThrow(ShapeError)
  })

  it('value: teeth in a photograph stay visible', async () => {
    await useBackend('wasm')
    const picture = await demoCut(3, 1180, 380)
    const [[corrected], [plain]] = [await annotate(picture), await annotate(picture, { lips: false })]
    expect(gapOf(plain.alignment.landmarks)).toBeGreaterThan(0.05)
    expect(gapOf(corrected.alignment.landmarks)).toBeGreaterThan(0.8 * gapOf(plain.alignment.landmarks))
  })
})
