import * as tf from '@tensorflow/tfjs-core'
import { ImageError, ShapeError, ValueError } from '@facekit/core'
import { expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { detectFaces, disposeNetworks, type Box, type Picture } from '@facekit/annotate'
import ndarray from 'ndarray'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enlarge, havePhotos, paste, photoLandmarks, readPhoto } from './photos.js'

const grey = (height: number, width: number): Picture =>
  ndarray(new Uint8Array(height * width * 3).fill(128), [height, width, 3])

const contains = (box: Box, x: number, y: number) =>
  x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height

describe.each(testBackends)('detectFaces on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(disposeNetworks)

  // On the plain JavaScript backend the photograph is enough.
  it.skipIf(backend === 'cpu' && havePhotos)('smoke: finds nothing in a grey picture', async () => {
    expect(await detectFaces(grey(40, 60), { detector: 'fast' })).toEqual([])
  })

  it.skipIf(!havePhotos)('value: finds the face of a photograph', async () => {
    const [nose] = photoLandmarks('ffhq-parsing')['00002.png'].slice(30)
    const picture = await readPhoto('ffhq-parsing/00002.png')
    for (const detector of backend === 'cpu' ? (['fast'] as const) : (['accurate', 'fast'] as const)) {
      const faces = await detectFaces(picture, { detector })
      expect(faces).toHaveLength(1)
      expect(faces[0].score).toBeGreaterThan(0.5)
      expect(contains(faces[0].box, ...nose)).toBe(true)
      expect(faces[0].box.width).toBeGreaterThan(80)
      expect(faces[0].box.width).toBeLessThan(230)
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

  it.skipIf(!havePhotos)('value: finds several faces, best first, and as many as asked for', async () => {
    const parts = await Promise.all(
      ['00001.png', '00002.png', '00004.png'].map((name) => readPhoto(`ffhq-parsing/${name}`)),
    )
    const picture = paste(
      900,
      300,
      parts.map((part, i) => [part, 20 + 290 * i, 20]),
    )
    const faces = await detectFaces(picture)
    expect(faces).toHaveLength(3)
    const columns = faces.map(({ box }) => Math.floor((box.x + box.width / 2) / 300)).sort()
    expect(columns).toEqual([0, 1, 2])
    expect(faces[0].score).toBeGreaterThanOrEqual(faces[2].score)
    expect(await detectFaces(picture, { maxFaces: 2 })).toEqual(faces.slice(0, 2))
  })

  it.skipIf(!havePhotos)(
    'value: finds faces in large pictures and in odd ones, and the same in a tensor',
    async () => {
      const small = await readPhoto('ffhq-parsing/00002.png')
      const [face] = await detectFaces(small)
      const [large] = await detectFaces(enlarge(small, 8))
      for (const key of ['x', 'y', 'width', 'height'] as const) {
        expect(Math.abs(large.box[key] / 8 - face.box[key])).toBeLessThan(0.12 * face.box.width)
      }
      const strip = await detectFaces(paste(256, 1100, [[small, 0, 700]]))
      expect(strip).toHaveLength(1)
      expect(Math.abs(strip[0].box.y - 700 - face.box.y)).toBeLessThan(0.15 * face.box.width)
      const tensor = tf.div(tf.tensor3d(Float32Array.from(small.data), [256, 256, 3]), 255) as tf.Tensor3D
      const [same] = await detectFaces(tensor)
      expect(same.score).toBeCloseTo(face.score, 4)
      tensor.dispose()
    },
  )

  it.skipIf(!havePhotos)('value: finds a small face in a large picture', async () => {
    const face = await readPhoto('ffhq-parsing/00002.png')
    const faces = await detectFaces(paste(2600, 2000, [[face, 1900, 1400]]))
    expect(faces).toHaveLength(1)
    expect(contains(faces[0].box, 1900 + 128, 1400 + 150)).toBe(true)
  })

  it.skipIf(!havePhotos)('value: the box of a face half outside reaches outside', async () => {
    const face = await readPhoto('ffhq-parsing/00002.png')
    const points = photoLandmarks('ffhq-parsing')['00002.png']
    const chin = points[8][1]
    const nose = points[33][1]
    const cut = Math.round(256 - (chin + nose) / 2)
    const faces = await detectFaces(paste(400, 300, [[face, 72, 44 + cut]]), { minScore: 0.3 })
    expect(faces).toHaveLength(1)
    expect(faces[0].box.y + faces[0].box.height).toBeGreaterThan(290)
  })

  it.skipIf(!havePhotos)('memory: no tensor is left behind', async () => {
    const picture = await readPhoto('ffhq-parsing/00002.png')
    await expectNoLeak(() => detectFaces(picture))
    await expectNoLeak(() => detectFaces(picture, { detector: 'fast' }))
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
