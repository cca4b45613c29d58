import * as tf from '@tensorflow/tfjs-core'
import { ImageError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import {
  detectFaces,
  disposeNetworks,
  overlapOf,
  type Box,
  type Picture,
  type Points,
} from '@facekit/annotate'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoFace, demoFaces, demoPhoto, paste, scaled, turned } from './photos.js'

const grey = (height: number, width: number): Picture =>
  ndarray(new Uint8Array(height * width * 3).fill(128), [height, width, 3])

/** The box around the landmarks from the brows to the chin, which is about what detectors call a face. */
function boxAround(landmarks: Points): Box {
  const [xs, ys] = [0, 1].map((axis) => Array.from({ length: 68 }, (_, i) => landmarks.get(i, axis)))
  const [x, y] = [Math.min(...xs), Math.min(...ys)]
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y }
}

const contains = (box: Box, x: number, y: number) =>
  x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height

describe.each(testBackends)('detectFaces on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(disposeNetworks)

  it('value: finds the face of a photograph', async () => {
    const { picture, landmarks } = await demoFace(1)
    // Plain JavaScript takes a quarter of a minute for the accurate network.
    for (const detector of backend === 'cpu' ? (['fast'] as const) : (['accurate', 'fast'] as const)) {
      const faces = await detectFaces(picture, { detector })
      expect(faces).toHaveLength(1)
      expect(faces[0].score).toBeGreaterThan(0.97)
      expect(faces[0].quarterTurns).toBeUndefined()
      expect(overlapOf(faces[0].box, boxAround(landmarks))).toBeGreaterThan(0.65)
    }
  })
})

describe('detectFaces', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(disposeNetworks)

  it('throws: not a picture', async () => {
    const bad = ndarray(new Uint8Array(16), [4, 4]) as Picture
    await expect(detectFaces(bad)).rejects.toThrow(ShapeError)
    await expect(detectFaces(tf.zeros([1, 4, 4, 3]) as unknown as tf.Tensor3D)).rejects.toThrow(ShapeError)
    await expect(detectFaces(tf.tensor3d([NaN, 0, 0], [1, 1, 3]))).rejects.toThrow(ImageError)
  })

  it('throws: options out of range', async () => {
    await expect(detectFaces(grey(4, 4), { minScore: 2 })).rejects.toThrow(ValueError)
    await expect(detectFaces(grey(4, 4), { maxFaces: 0 })).rejects.toThrow(ValueError)
    await expect(detectFaces(grey(4, 4), { orientation: 'up' as 'all' })).rejects.toThrow(
      /expected one of auto, all, turned, upright/,
    )
    await expect(detectFaces(grey(4, 4), { detector: 'best' as 'fast' })).rejects.toThrow(
      /"accurate" or "fast"/,
    )
  })

  it('value: finds nothing in one pixel, in a strip, in noise', async () => {
    const noise = grey(200, 300)
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = (i * i * 7919) % 251
    for (const picture of [grey(1, 1), grey(3, 900), noise]) {
      expect(await detectFaces(picture, { detector: 'fast' })).toEqual([])
      expect(await detectFaces(picture)).toEqual([])
    }
  })

  it('value: finds several faces, best first, and as many as asked for', async () => {
    const parts = (await demoFaces()).map(({ picture }) => picture)
    const picture = paste(
      900,
      300,
      parts.map((part, i) => [part, 20 + 290 * i, 20]),
    )
    const faces = await detectFaces(picture)
    expect(faces).toHaveLength(3)
    const columns = faces.map(({ box }) => Math.floor((box.x + box.width / 2) / 300)).toSorted()
    expect(columns).toEqual([0, 1, 2])
    expect(faces[0].score).toBeGreaterThanOrEqual(faces[2].score)
    expect(await detectFaces(picture, { maxFaces: 2 })).toEqual(faces.slice(0, 2))
  })

  it('value: finds faces in large pictures and in odd ones, and the same in a tensor', async () => {
    const { picture: small, landmarks } = await demoFace(1)
    const [face] = await detectFaces(small)
    const [large] = await detectFaces(scaled(small, 8))
    const upscaled = {
      x: 8 * face.box.x,
      y: 8 * face.box.y,
      width: 8 * face.box.width,
      height: 8 * face.box.height,
    }
    expect(overlapOf(large.box, upscaled)).toBeGreaterThan(0.75)
    const strip = await detectFaces(paste(256, 1100, [[small, 0, 700]]))
    expect(strip).toHaveLength(1)
    const { x, y, width, height } = boxAround(landmarks)
    expect(overlapOf(strip[0].box, { x, y: y + 700, width, height })).toBeGreaterThan(0.6)
    const tensor = tf.div(tf.tensor3d(Float32Array.from(small.data), [256, 256, 3]), 255) as tf.Tensor3D
    const [same] = await detectFaces(tensor)
    expect(same.score).toBeCloseTo(face.score, 4)
    tensor.dispose()
  })

  it('value: more than a hundred small faces in a large picture, beside a large one', async () => {
    const faces = await demoFaces()
    const parts: [Picture, number, number][] = [[scaled(faces[1].picture, 2), 3450, 2260]]
    // 75 pixels wide, all over the picture.
    const sizes = faces.map(({ picture, landmarks }) => scaled(picture, 75 / boxAround(landmarks).width))
    for (let i = 0; i < 117; i++) {
      const [column, row] = [i % 13, Math.floor(i / 13)]
      if (column < 11 || row < 7) parts.push([sizes[i % 3], 10 + 310 * column, 10 + 320 * row])
    }
    const found = await detectFaces(paste(4030, 2880, parts))
    const centres = parts.map(([part, left, top]) => [left + part.shape[1] / 2, top + part.shape[0] / 2])
    expect(centres.filter(([x, y]) => found.filter(({ box }) => contains(box, x, y)).length !== 1)).toEqual(
      [],
    )
    expect(found).toHaveLength(114)
  })

  it('value: a small face in a picture of middle size', async () => {
    const picture = scaled((await demoFace(1)).picture, 0.25)
    const faces = await detectFaces(paste(1400, 1000, [[picture, 900, 600]]))
    expect(faces).toHaveLength(1)
    expect(contains(faces[0].box, 932, 632)).toBe(true)
  })

  it.each([1, 2, 3])('value: faces turned by %i quarter turns, and how', async (quarterTurns) => {
    const { picture } = await demoFace(1)
    const [upright] = await detectFaces(picture)
    const [face, ...others] = await detectFaces(turned(picture, quarterTurns), { orientation: 'turned' })
    expect(others).toEqual([])
    expect(face.quarterTurns).toBe(quarterTurns)
    let { x, y, width, height } = upright.box
    for (let turn = 0; turn < quarterTurns; turn++)
      [x, y, width, height] = [256 - y - height, x, height, width]
    expect(overlapOf(face.box, { x, y, width, height })).toBeGreaterThan(0.95)
  })

  const changes: [string, (value: number, channel: number) => number][] = [
    ['dark', (value) => 0.06 * value],
    ['flat', (value) => 128 + 0.08 * (value - 128)],
    ['hazy', (value) => 215 + 0.12 * (value - 128)],
    ['blue', (value, channel) => [0.1, 0.12, 0.8][channel] * value],
    ['red', (value, channel) => [0.8, 0.1, 0.08][channel] * value],
  ]
  it.each(changes)('value: the faces of %s photographs', async (_, change) => {
    for (const number of [1, 3]) {
      const { data, shape } = await demoPhoto(number)
      const changed = Uint8Array.from(data, (value, i) =>
        Math.min(255, Math.max(0, Math.round(change(value, i % 3)))),
      )
      expect(await detectFaces(ndarray(changed, shape))).toHaveLength(3)
    }
  })

  it('value: the box of a face half outside reaches outside', async () => {
    const { picture, landmarks } = await demoFace(1)
    const cut = Math.round(256 - (landmarks.get(8, 1) + landmarks.get(33, 1)) / 2)
    const faces = await detectFaces(paste(400, 300, [[picture, 72, 44 + cut]]), { minScore: 0.3 })
    expect(faces).toHaveLength(1)
    expect(faces[0].box.y + faces[0].box.height).toBeGreaterThan(290)
  })

  it('memory: no tensor is left behind', async () => {
    const { picture } = await demoFace(1)
    await expectNoLeak(() => detectFaces(picture))
    await expectNoLeak(() => detectFaces(picture, { detector: 'fast' }))
    await expectNoLeak(() => detectFaces(grey(40, 60)))
  })

  it('memory: disposeNetworks frees everything, and the networks load again', async () => {
    await disposeNetworks()
    const before = tf.memory().numTensors
    await Promise.all([
      detectFaces(grey(9, 9), { detector: 'fast' }),
      detectFaces(grey(9, 9), { detector: 'fast' }),
    ])
    expect(tf.memory().numTensors).toBeGreaterThan(before)
    await disposeNetworks()
    expect(tf.memory().numTensors).toBe(before)
    expect(await detectFaces(grey(9, 9), { detector: 'fast' })).toEqual([])
  })
})
