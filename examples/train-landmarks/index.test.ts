import type { Picture } from '@facekit/annotate'
import type { LandmarkSample } from '@facekit/annotate-training'
import type { FaceSynthesizer } from '@facekit/synthetic'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { landmarkError, splitByIdentity, trainLandmarks } from './train-landmarks.js'

const network = { inputSize: 32, stacks: 1, features: 8, depth: 2 }

/** A picture of dots, one for each landmark. */
function dots(i: number): { picture: Picture; landmarks: LandmarkSample['landmarks'] } {
  const picture: Picture = ndarray(new Uint8Array(64 * 64 * 3).fill(40), [64, 64, 3])
  const landmarks = ndarray(new Float32Array(136), [68, 2])
  for (let k = 0; k < 68; k++) {
    const [x, y] = [12 + 2.2 * (k % 17) + (i % 3), 14 + 11 * Math.floor(k / 17) + (i % 2)]
    landmarks.set(k, 0, x)
    landmarks.set(k, 1, y)
    picture.set(Math.floor(y), Math.floor(x), k % 3, 250)
  }
  return { picture, landmarks }
}

const samples = Array.from({ length: 10 }, (_, i): LandmarkSample => {
  const { picture, landmarks } = dots(i)
  return { name: `${i}.png`, identity: `person ${i}`, landmarks, read: () => Promise.resolve(picture) }
})

/** Stands in for rendered faces, which take a while. */
const synthesizer = (): FaceSynthesizer => ({
  next: () => {
    const { picture, landmarks } = dots(1)
    return {
      image: tf.div(tf.tensor4d(Float32Array.from(picture.data), [1, 64, 64, 3]), 255),
      landmarks: tf.tensor3d(Float32Array.from(landmarks.data), [1, 68, 2]),
    } as unknown as ReturnType<FaceSynthesizer['next']>
  },
  state: () => ({ seed: 0, picture: 0 }),
  restore: () => undefined,
  dispose: () => undefined,
})

describe('train-landmarks', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: the loss falls, on photographs and rendered faces', async () => {
    const losses: number[] = []
    const { train, heldOut } = splitByIdentity(samples)
    expect([train.length, heldOut.length]).toEqual([8, 2])
    const before = tf.memory().numTensors
    const { hourglass, result } = await trainLandmarks({
      photographs: train,
      synthesizer: synthesizer(),
      heldOut,
      network,
      batch: 3,
      resident: true,
      learningRate: 1e-2,
      iterations: 24,
      onProgress: ({ loss }) => losses.push(loss),
    })
    expect(result.iterations).toBe(24)
    expect(result.loss).toBeLessThan(0.95 * losses[0])
    expect(result.evaluation?.nme).toBeGreaterThan(0)
    expect(await landmarkError(hourglass, heldOut)).toBeCloseTo(result.evaluation!.nme, 4)
    hourglass.dispose()
    // What a network of tfjs-layers keeps of the random numbers of its beginning.
    expect(tf.memory().numTensors - before).toBeLessThan(60)
  })
})
