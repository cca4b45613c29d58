import {
  annotate,
  detectFaces,
  disposeNetworks,
  findDenseLandmarks,
  type DenseLandmarks,
  type Picture,
} from '@facekit/annotate'
import { AnnotationError, ShapeError, ValueError } from '@facekit/core'
import { useBackend } from '@facekit/testing'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPhoto, photo, turned } from './photos.js'

const place = ({ positions }: DenseLandmarks, k: number) => [positions.get(k, 0), positions.get(k, 1)]
const distance = ([a, b]: number[], [c, d]: number[]) => Math.hypot(a - c, b - d)

describe('findDenseLandmarks', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(() => disposeNetworks())

  it('value: finds the points of a face, and the same ones when it stands on its head', async () => {
    const picture = await demoPhoto(6)
    const [height, width] = picture.shape
    const [{ box }] = await detectFaces(picture)
    const upright = await findDenseLandmarks(picture, box)
    expect(upright.positions.shape).toEqual([560, 2])
    expect(upright.landmarks.shape).toEqual([68, 2])
    const eyes = distance(place(upright, 36), place(upright, 45))
    // Eyes above the mouth, the nose nearer to the camera than the ears.
    expect(place(upright, 8)[1] - place(upright, 27)[1]).toBeGreaterThan(0.8 * eyes)
    expect(upright.depths[30] - upright.depths[0]).toBeGreaterThan(0.5 * eyes)
    expect(Math.max(...upright.deviations)).toBeLessThan(0.2 * eyes)
    expect(upright.identity?.mean.length).toBe(80)
    const over = await findDenseLandmarks(turned(picture, 2), {
      x: width - box.x - box.width,
      y: height - box.y - box.height,
      width: box.width,
      height: box.height,
    })
    for (const k of [30, 36, 45, 48, 54]) {
      const [x, y] = place(over, k)
      expect(distance([width - x, height - y], place(upright, k))).toBeLessThan(0.06 * eyes)
    }
  })

  it('value: annotate adds them, or leaves them out', async () => {
    const options = { maxFaces: 1, segmenter: 'landmarks' } as const
    const [face] = await annotate(photo(6), options)
    const { denseLandmarks: dense, landmarks } = face
    const size = distance(
      [landmarks.get(36, 0), landmarks.get(36, 1)],
      [landmarks.get(45, 0), landmarks.get(45, 1)],
    )
    for (const k of [30, 36, 45, 48, 54])
      expect(distance(place(dense!, k), [landmarks.get(k, 0), landmarks.get(k, 1)])).toBeLessThan(0.15 * size)
    const [plain] = await annotate(photo(6), { ...options, denseLandmarks: false })
    expect(plain.denseLandmarks).toBeUndefined()
  })

  it('throws: names what is wrong', async () => {
    const picture: Picture = ndarray(new Uint8Array(32 * 32 * 3), [32, 32, 3])
    const box = { x: 4, y: 4, width: 20, height: 20 }
    await expect(findDenseLandmarks(picture, { ...box, width: 0 })).rejects.toThrow(ValueError)
    await expect(findDenseLandmarks(picture, { ...box, x: 90 })).rejects.toThrow(AnnotationError)
    await expect(findDenseLandmarks(picture, box, { quarterTurns: 5 })).rejects.toThrow(ValueError)
    await expect(
      findDenseLandmarks(ndarray(new Uint8Array(48), [4, 4, 3]).pick(0) as never, box),
    ).rejects.toThrow(ShapeError)
  })
})
