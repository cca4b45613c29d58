import { loadBaseModel } from '@facekit/base-model'
import { evaluateShape, gatherVertices, type MorphableModel } from '@facekit/morphable'
import { clipToPixels, defaultCamera, projectVertices, transformVertices } from '@facekit/render'
import { createFaceSynthesizer, disposeBatch, type SynthesizerOptions } from '@facekit/synthetic'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const SIZE = 96
const plain = {
  hair: { bald: 1 },
  occluders: { hat: 0, glasses: 0, sunglasses: 0, hand: 0, object: 0, mask: 0, scarf: 0, patch: 0 },
  camera: { blur: 0, noise: 0, color: 0, compression: 0 },
} satisfies SynthesizerOptions

let model: MorphableModel
beforeAll(async () => {
  await useBackend('wasm')
  model = await loadBaseModel()
})

describe('dense landmarks', () => {
  it('value: those of the parameters before the camera of each picture', async () => {
    const batch = 4
    const options = {
      ...plain,
      seed: 3,
      pose: { yaw: 90, pitch: 60, roll: 180 },
      framing: { distance: [250, 4000] },
    } as const
    const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch, ...options })
    const { denseLandmarks, camera, parameters, ...rest } = synthesizer.next()
    const found = await denseLandmarks!.array()
    const cameras = await camera.array()
    const points = tf.tidy(() => {
      const world = transformVertices(evaluateShape(model, parameters), parameters.pose)
      return gatherVertices(world, model.denseLandmarks!)
    })
    const size = { width: SIZE, height: SIZE }
    for (let b = 0; b < batch; b++) {
      const [focal, distance] = cameras[b]
      const own = { ...defaultCamera, fieldOfView: 2 * Math.atan(SIZE / 2 / focal), distance, near: 1 }
      const [pixels] = tf.tidy(() =>
        clipToPixels(projectVertices(tf.slice(points, b, 1), own, size), size).arraySync(),
      )
      const z = (await points.array())[b].map((point) => point[2])
      const mean = z.reduce((sum, value) => sum + value, 0) / z.length
      z.forEach((value, i) => {
        const depth = ((value - mean) * focal) / (distance - mean)
        const [x, y] = pixels[i]
        const gap = Math.hypot(found[b][i][0] - x, found[b][i][1] - y, found[b][i][2] - depth)
        expect(gap).toBeLessThan(0.02)
      })
    }
    const distances = cameras.map(([, distance]) => distance)
    expect(Math.max(...distances) / Math.min(...distances)).toBeGreaterThan(2)
    disposeBatch({ denseLandmarks, camera, parameters, ...rest })
    points.dispose()
    synthesizer.dispose()
  })

  it('value: from afar a head is as deep as it is wide and high', async () => {
    const options = { ...plain, seed: 8, pose: { yaw: 80 }, framing: { distance: [90_000, 90_000] } } as const
    const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch: 2, ...options })
    const batch = synthesizer.next()
    const found = await batch.denseLandmarks!.array()
    const shape = tf.tidy(() =>
      gatherVertices(evaluateShape(model, batch.parameters), model.denseLandmarks!).arraySync(),
    )
    const between = (points: number[][], i: number, j: number) =>
      Math.hypot(...[0, 1, 2].map((c) => points[i][c] - points[j][c]))
    found.forEach((points, b) => {
      const scale = between(points, 0, 16) / between(shape[b], 0, 16)
      for (let i = 1; i < points.length; i += 7) {
        const j = (i * 31) % points.length
        expect(between(points, i, j)).toBeCloseTo(scale * between(shape[b], i, j), 1)
      }
    })
    disposeBatch(batch)
    synthesizer.dispose()
  })

  it('value: of a head in profile the far side is hidden, whatever its size and the camera', async () => {
    for (const distance of [300, 6000]) {
      const options = {
        ...plain,
        expression: 0,
        fixed: { rotation: [0, 85, 0] },
        framing: { distance: [distance, distance], scale: [0.4, 0.4] },
      } as const
      const synthesizer = createFaceSynthesizer(model, { size: 128, batch: 1, ...options })
      const batch = synthesizer.next()
      const visible = await batch.denseVisibility!.data()
      const mean = model.shape.mean.data
      const share = (side: 1 | -1) => {
        const own = Array.from(model.denseLandmarks!, (v, i) => [mean[v * 3] * side, visible[i]]).filter(
          ([x]) => x > 25,
        )
        return own.reduce((sum, [, seen]) => sum + seen, 0) / own.length
      }
      // Yaw turns the face to the picture's right: the subject's right side is seen.
      expect(share(-1)).toBeGreaterThan(0.8)
      expect(share(1)).toBeLessThan(0.05)
      disposeBatch(batch)
      synthesizer.dispose()
    }
  })
})

describe('faces of few pixels', () => {
  it('value: what is smaller than a pixel of the file is gone', async () => {
    const sharpness = async (faceSize: number) => {
      const options = {
        ...plain,
        seed: 2,
        camera: { ...plain.camera, blur: 1, faceSize: [faceSize, faceSize] },
      } as const
      const synthesizer = createFaceSynthesizer(model, { size: SIZE, batch: 2, ...options })
      const batch = synthesizer.next()
      const value = tf.tidy(() => {
        const smooth = tf.avgPool(batch.image, 5, 1, 'same')
        return tf.mean(tf.abs(tf.sub(batch.image, smooth))).dataSync()[0]
      })
      disposeBatch(batch)
      synthesizer.dispose()
      return value
    }
    expect(await sharpness(12)).toBeLessThan(0.5 * (await sharpness(1000)))
  })
})
