import type { Picture } from '@facekit/annotate'
import type { FaceScene, LandmarkSample } from '@facekit/annotate-training'
import { createRandom } from '@facekit/core'
import type { FaceSynthesizer } from '@facekit/synthetic'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { composeScenes, scenesOfLandmarks, scenesWithoutFaces } from './face-scenes.js'
import { trainMtcnn } from './train-mtcnn.js'

const picture = (value: number): Picture => ndarray(new Uint8Array(96 * 96 * 3).fill(value), [96, 96, 3])
const landmarks = ndarray(
  Float32Array.from({ length: 136 }, (_, i) => 28 + (((i >> 1) * (i & 1 ? 7 : 5)) % 40)),
  [68, 2],
)
const sample: LandmarkSample = {
  name: 'a',
  identity: '',
  landmarks,
  read: () => {
    const face = picture(20)
    for (let y = 20; y < 70; y++) for (let x = 28; x < 68; x++) face.set(y, x, 0, 220)
    return Promise.resolve(face)
  },
}

/** Two bright squares on nothing stand in for rendered faces. */
const synthesizer: FaceSynthesizer = {
  next: () =>
    ({
      image: tf.fill([2, 32, 32, 3], 1),
      labels: tf.cast(tf.pad(tf.ones([2, 24, 24]), [[0, 0], [4, 4], [4, 4]]), 'int32'), // prettier-ignore
      landmarks: tf.tile(tf.reshape(tf.div(tf.tensor(landmarks.data), 4), [1, 68, 2]), [2, 1, 1]),
    }) as unknown as ReturnType<FaceSynthesizer['next']>,
  state: () => ({ seed: 0, picture: 0 }),
  restore: () => undefined,
  dispose: () => undefined,
}

describe('train-mtcnn', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: composed scenes have faces where they say', async () => {
    const scenes = await composeScenes(synthesizer, [picture(0)], createRandom(1), { count: 4, size: 96 })
    expect(scenes).toHaveLength(4)
    for (const { read, faces } of scenes) {
      const scene = await read()
      expect(faces.length).toBeGreaterThan(0)
      for (const { box } of faces) {
        const [x, y] = [box.x + box.width / 2, box.y + 0.6 * box.height].map(Math.floor)
        expect(scene.get(y, x, 0)).toBeGreaterThan(200)
      }
    }
  })

  it('value: a turned face is where its landmarks are', async () => {
    const [scene] = scenesOfLandmarks([sample], createRandom(4), 0.6)
    const turned = await scene.read()
    const [{ box }] = scene.faces
    const red = turned.get(Math.floor(box.y + 0.55 * box.height), Math.floor(box.x + box.width / 2), 0)
    expect(red).toBeGreaterThan(150)
  })

  it('value: trains the three stages, one after the other', async () => {
    const scenes: FaceScene[] = [
      ...scenesOfLandmarks([sample, sample], createRandom(2)),
      ...scenesWithoutFaces([picture(90)]),
    ]
    const stages: string[] = []
    const losses: Record<string, number[]> = {}
    const mtcnn = await trainMtcnn({
      scenes,
      iterations: 30,
      batch: 12,
      onWindows: (stage, counts) => {
        stages.push(stage)
        expect(counts.face).toBeGreaterThan(0)
        expect(counts.none).toBeGreaterThan(0)
      },
      onProgress: (stage, { loss }) => (losses[stage] ??= []).push(loss),
    })
    expect(stages).toEqual(['proposal', 'refinement', 'output'])
    for (const stage of stages) expect(losses[stage].at(-1)).toBeLessThan(losses[stage][0])
    expect(Array.isArray(await mtcnn.detect(await sample.read()))).toBe(true)
    mtcnn.dispose()
  })
})
