import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDenseBatches, type DenseBatch } from '@facekit/annotate-training'
import { createRandom } from '@facekit/core'
import type { FaceSynthesizer } from '@facekit/synthetic'
import { createTinyFace, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { calibrateDense } from './calibrate-dense.js'
import { drawDensePanel } from './dense-panel.js'
import { trainDenseLandmarks } from './train-dense-landmarks.js'

const N = 70
const B = 4

/** Stands in for rendered faces, which take a while: dots at the points of a face, which is somewhere else in each picture. */
function synthesizer(): FaceSynthesizer {
  let picture = 0
  const next = () => {
    const random = createRandom(picture)
    picture += B
    const pixels = new Float32Array(B * 64 * 64 * 3).fill(0.2)
    const points = new Float32Array(B * N * 3)
    for (let b = 0; b < B; b++) {
      const [left, top] = [random.integer(8), random.integer(8)]
      for (let k = 0; k < N; k++) {
        const x = 14 + left + (k % 12) * 2.5
        const y = 18 + top + (k >= 36 && k < 48 ? 0 : k >= 48 && k < 60 ? 18 : 6 + (k % 5) * 2)
        points.set([x, y, (k % 3) * 2 - 2], (b * N + k) * 3)
        pixels.fill(
          1,
          ((b * 64 + Math.floor(y)) * 64 + Math.floor(x)) * 3,
          ((b * 64 + Math.floor(y)) * 64 + Math.floor(x) + 1) * 3,
        )
      }
    }
    const dense = tf.tensor3d(points, [B, N, 3])
    return {
      image: tf.tensor4d(pixels, [B, 64, 64, 3]),
      landmarks: tf.tidy(() => tf.slice(dense, [0, 0, 0], [-1, 68, 2])),
      denseLandmarks: dense,
      denseVisibility: tf.ones([B, N]),
      parameters: { identity: tf.zeros([B, 2]) },
    } as unknown as ReturnType<FaceSynthesizer['next']>
  }
  return {
    next,
    state: () => ({ seed: 0, picture }),
    restore: (state) => void (picture = (state as { picture: number }).picture),
    profile: () => Promise.resolve([]),
    dispose: () => undefined,
  }
}

describe('train-dense-landmarks', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: errors fall, and a run in two parts ends where one in a single part does', async () => {
    const face = createTinyFace()
    const model = { ...face, denseLandmarks: new Int32Array(N), layout: { ...face.layout, identity: 2 } }
    const source = createDenseBatches(synthesizer(), { inputSize: 32, seed: 9, coarseShare: 0 })
    const heldOut: DenseBatch[] = [await source.next()]
    const iterations = 30
    const folder = await mkdtemp(join(tmpdir(), 'dense-'))
    const run = (part: number | undefined, into?: string) => {
      let done = 0
      const losses: number[] = []
      const stop = new AbortController()
      return trainDenseLandmarks({
        model,
        synthesizer: synthesizer(),
        heldOut,
        inputSize: 32,
        width: 0.2,
        learningRate: 5e-3,
        start: 0.9,
        iterations,
        evaluateEvery: 15,
        signal: stop.signal,
        ...(into && { folder: into }),
        onProgress: ({ loss }) => {
          losses.push(loss)
          if (++done === part) stop.abort()
        },
      }).then((result) => ({ ...result, losses }))
    }
    const whole = await run(undefined)
    const first = await run(12, folder)
    expect(first.result.stoppedBy).toBe('signal')
    const second = await run(undefined, folder)
    expect(second.result.iterations).toBe(iterations)
    expect(second.result.loss).toBe(whole.result.loss)
    expect(second.result.evaluation).toEqual(whole.result.evaluation)
    expect(whole.losses[20]).toBeLessThan(0.9 * whole.losses[0])
    const calibration = await calibrateDense(whole.network, heldOut)
    expect(Object.values(calibration).every((value) => value > 0.01 && value < 1000)).toBe(true)
    const panel = await drawDensePanel(heldOut[0], whole.network)
    expect(panel.shape).toEqual([64, 256, 3])
    for (const { network } of [whole, first, second]) network.dispose()
    tf.dispose(heldOut)
    source.dispose()
    await rm(folder, { recursive: true })
  })
})
