import * as tf from '@tensorflow/tfjs-core'
import { AnnotationError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import {
  detectFaces,
  disposeNetworks,
  findLandmarks,
  type Box,
  type Picture,
  type Points,
} from '@facekit/annotate'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enlarge, havePhotos, paste, photoLandmarks, readPhoto } from './photos.js'

const box: Box = { x: 60, y: 80, width: 130, height: 160 }
const grey: Picture = ndarray(new Uint8Array(256 * 256 * 3).fill(100), [256, 256, 3])

/** Mean distance from true landmarks over the square root of their box's area. */
function error(points: Points, truth: [number, number][]): number {
  const xs = truth.map(([x]) => x)
  const ys = truth.map(([, y]) => y)
  const area = (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys))
  const distances = truth.map(([x, y], k) => Math.hypot(points.get(k, 0) - x, points.get(k, 1) - y))
  return distances.reduce((a, b) => a + b) / truth.length / Math.sqrt(area)
}

describe.each(testBackends)('findLandmarks on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(disposeNetworks)

  // On the plain JavaScript backend the photograph is enough: a grey picture is looked at from all starts.
  it.skipIf(backend === 'cpu' && havePhotos)('smoke: 68 finite points, the same each time', async () => {
    const points = await findLandmarks(grey, box)
    expect(points.shape).toEqual([68, 2])
    expect(Array.from(points.data).every(Number.isFinite)).toBe(true)
    const again = await findLandmarks(grey, box)
    expect(again.data).toEqual(points.data)
  })

  it.skipIf(!havePhotos)('value: the landmarks of photographs', async () => {
    const truth = photoLandmarks('ffhq-parsing')
    for (const name of backend === 'cpu' ? ['00002.png'] : ['00001.png', '00002.png', '00004.png']) {
      const picture = await readPhoto(`ffhq-parsing/${name}`)
      const [face] = await detectFaces(picture, { detector: 'fast' })
      // On the plain JavaScript backend one network is enough.
      const network = backend === 'cpu' ? 'dense' : 'both'
      expect(error(await findLandmarks(picture, face.box, { network }), truth[name])).toBeLessThan(0.035)
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
    await expect(findLandmarks(grey, { ...box, x: 300 })).rejects.toThrow(AnnotationError)
  })

  it.skipIf(!havePhotos)('value: moves and grows with the picture', async () => {
    const picture = await readPhoto('ffhq-parsing/00002.png')
    const [face] = await detectFaces(picture)
    const points = await findLandmarks(picture, face.box)
    const big = await findLandmarks(enlarge(picture, 4), {
      x: 4 * face.box.x,
      y: 4 * face.box.y,
      width: 4 * face.box.width,
      height: 4 * face.box.height,
    })
    const moved = await findLandmarks(paste(500, 400, [[picture, 100, 90]]), {
      ...face.box,
      x: face.box.x + 100,
      y: face.box.y + 90,
    })
    for (let k = 0; k < 68; k++) {
      expect(Math.abs(big.get(k, 0) / 4 - points.get(k, 0))).toBeLessThan(2.5)
      expect(Math.abs(big.get(k, 1) / 4 - points.get(k, 1))).toBeLessThan(2.5)
      expect(Math.abs(moved.get(k, 0) - 100 - points.get(k, 0))).toBeLessThan(1)
      expect(Math.abs(moved.get(k, 1) - 90 - points.get(k, 1))).toBeLessThan(1)
    }
  })

  it.skipIf(!havePhotos)('value: a mirrored face has mirrored landmarks', async () => {
    const picture = await readPhoto('ffhq-parsing/00002.png')
    const [{ box: found }] = await detectFaces(picture)
    const mirror: Picture = ndarray(new Uint8Array(256 * 256 * 3), [256, 256, 3])
    for (let y = 0; y < 256; y++)
      for (let x = 0; x < 256; x++)
        for (let c = 0; c < 3; c++) mirror.set(y, x, c, picture.get(y, 255 - x, c))
    const points = await findLandmarks(picture, found)
    const mirrored = await findLandmarks(mirror, { ...found, x: 256 - found.x - found.width })
    // right jaw and left jaw, outer eye corners, mouth corners, chin
    for (const [a, b] of [
      [0, 16],
      [36, 45],
      [48, 54],
      [60, 64],
      [41, 46],
      [50, 52],
      [8, 8],
    ]) {
      // prettier-ignore
      expect(mirrored.get(a, 0)).toBeCloseTo(256 - points.get(b, 0), 1)
      expect(mirrored.get(a, 1)).toBeCloseTo(points.get(b, 1), 1)
    }
    expect(points.get(0, 0)).toBeLessThan(points.get(16, 0))
  })

  it.skipIf(!havePhotos)('memory: no tensor is left behind', async () => {
    const picture = await readPhoto('ffhq-parsing/00002.png')
    await expectNoLeak(() => findLandmarks(picture, box))
    const tensor = tf.zeros([64, 64, 3]) as tf.Tensor3D
    await expectNoLeak(() => findLandmarks(tensor, { x: 8, y: 8, width: 40, height: 40 }))
    tensor.dispose()
  })
})
