import * as tf from '@tensorflow/tfjs-core'
import { AnnotationError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import {
  detectFaces,
  disposeNetworks,
  findLandmarks,
  mirroredLandmarks,
  type Box,
  type Picture,
} from '@facekit/annotate'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoFace, demoFaces, landmarkError, paste, scaled, turned, turnedPoints } from './photos.js'

const box: Box = { x: 60, y: 80, width: 130, height: 160 }
/** Where the detector sees the frontal face. */
const frontal: Box = { x: 66, y: 68, width: 129, height: 146 }
const grey: Picture = ndarray(new Uint8Array(256 * 256 * 3).fill(100), [256, 256, 3])

describe.each(testBackends)('findLandmarks on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(disposeNetworks)

  it('value: the landmarks of photographs', async () => {
    // Plain JavaScript takes seconds for each view: one network, and one face, whose landmarks settle at once.
    const faces = backend === 'cpu' ? [await demoFace(1)] : await demoFaces()
    const network = backend === 'cpu' ? 'dense' : 'all'
    for (const { picture, landmarks } of faces) {
      const [face] = backend === 'cpu' ? [{ box: frontal }] : await detectFaces(picture)
      const points = await findLandmarks(picture, face.box, { network })
      expect(points.shape).toEqual([68, 2])
      expect(landmarkError(points, landmarks)).toBeLessThan(backend === 'cpu' ? 0.03 : 0.003)
    }
  })
})

describe('findLandmarks', () => {
  beforeAll(() => useBackend('wasm'))
  afterAll(disposeNetworks)

  it('throws: bad pictures and boxes', async () => {
    await expect(findLandmarks(ndarray(new Uint8Array(9), [3, 3]) as Picture, box)).rejects.toThrow(
      ShapeError,
    )
    await expect(findLandmarks(grey, { ...box, width: 0 })).rejects.toThrow(ValueError)
    await expect(findLandmarks(grey, { ...box, x: NaN })).rejects.toThrow(ValueError)
    await expect(findLandmarks(grey, undefined as unknown as Box)).rejects.toThrow(ValueError)
    await expect(findLandmarks(grey, box, { quarterTurns: 4 })).rejects.toThrow(ValueError)
    await expect(findLandmarks(grey, { ...box, x: 300 })).rejects.toThrow(AnnotationError)
  })

  it('value: moves and grows with the picture', async () => {
    const { picture } = await demoFace(1)
    const points = await findLandmarks(picture, frontal)
    const big = await findLandmarks(scaled(picture, 4), {
      x: 4 * frontal.x,
      y: 4 * frontal.y,
      width: 4 * frontal.width,
      height: 4 * frontal.height,
    })
    const moved = await findLandmarks(paste(500, 400, [[picture, 100, 90]]), {
      ...frontal,
      x: frontal.x + 100,
      y: frontal.y + 90,
    })
    for (let k = 0; k < 68; k++) {
      for (const axis of [0, 1]) {
        expect(Math.abs(big.get(k, axis) / 4 - points.get(k, axis))).toBeLessThan(0.8)
        expect(Math.abs(moved.get(k, axis) - [100, 90][axis] - points.get(k, axis))).toBeLessThan(0.1)
      }
    }
  })

  it.each(['hourglass', 'all'] as const)('value: landmarks turn with the face (%s)', async (network) => {
    for (const { picture, landmarks } of await demoFaces()) {
      const [{ box: upright }] = await detectFaces(picture)
      let box = upright
      for (const quarterTurns of [1, 2, 3]) {
        box = { x: 256 - box.y - box.height, y: box.x, width: box.height, height: box.width }
        const truth = turnedPoints(landmarks, [256, 256], quarterTurns)
        const points = await findLandmarks(turned(picture, quarterTurns), box, { network })
        expect(landmarkError(points, truth)).toBeLessThan(0.02)
      }
    }
  })

  it('value: a mirrored face has mirrored landmarks', async () => {
    const { picture } = await demoFace(1)
    const mirror: Picture = ndarray(new Uint8Array(256 * 256 * 3), [256, 256, 3])
    for (let y = 0; y < 256; y++)
      for (let x = 0; x < 256; x++)
        for (let c = 0; c < 3; c++) mirror.set(y, x, c, picture.get(y, 255 - x, c))
    const points = await findLandmarks(picture, frontal)
    const mirrored = await findLandmarks(mirror, { ...frontal, x: 256 - frontal.x - frontal.width })
    for (let k = 0; k < 68; k++) {
      const other = mirroredLandmarks[k]
      // The network of dense landmarks looks at the picture only, the others at its mirror image, too: to within 1 % of the face's width.
      const [dx, dy] = [0, 1].map((axis) => mirrored.get(k, axis) - points.get(other, axis))
      expect(Math.hypot(dx + (2 * points.get(other, 0) - 256), dy)).toBeLessThan(0.8)
    }
    expect(points.get(0, 0)).toBeLessThan(points.get(16, 0))
  })

  it('memory: no tensor is left behind', async () => {
    const { picture } = await demoFace(1)
    await expectNoLeak(() => findLandmarks(picture, frontal))
    const tensor = tf.zeros([64, 64, 3]) as tf.Tensor3D
    await expectNoLeak(() => findLandmarks(tensor, { x: 8, y: 8, width: 40, height: 40 }))
    tensor.dispose()
  })
})
