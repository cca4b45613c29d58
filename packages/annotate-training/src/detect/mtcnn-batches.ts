import * as tf from '@tensorflow/tfjs-core'
import { createRandom, restoreRandom, ValueError, type RandomState } from '@facekit/core'
import type { MtcnnWindow } from './mtcnn-windows.js'

/** Options of `createMtcnnBatches`. */
export interface MtcnnBatchesOptions {
  /** Windows of a batch. Default 384. */
  batch?: number
  /** Parts of a batch that show no face, a face, a part of one. Default 3, 2 and 1. */
  parts?: readonly [none: number, face: number, part: number]
  /** How much colours change at random, 0 to 1. Default 0.3. */
  color?: number
  /** Default 1. */
  seed?: number
}

/** Tensors of a batch: pictures `[B, S, S, 3]` encoded, 0..1, and the four of `MtcnnTargets` in their order. */
export type MtcnnBatch = [
  images: tf.Tensor4D,
  face: tf.Tensor1D,
  box: tf.Tensor2D,
  points: tf.Tensor2D,
  supervisionMask: tf.Tensor2D,
]

/** Batches for training a stage of MTCNN. Fits `runTraining` of @facekit/trainer. */
export interface MtcnnBatches {
  /** The caller owns the tensors. */
  next(): Promise<MtcnnBatch>
  /** Where the random numbers are, as plain JSON. */
  state(): RandomState
  restore(state: unknown): void
}

/** Makes endless batches of windows drawn at random, in fixed shares of faces, parts and others. Kinds that are missing are left out.
 *
 * @throws {ValueError} when there is no window
 */
export function createMtcnnBatches(
  windows: readonly MtcnnWindow[],
  options: MtcnnBatchesOptions = {},
): MtcnnBatches {
  const { batch = 384, parts = [3, 2, 1], color = 0.3, seed = 1 } = options
  if (windows.length === 0) throw new ValueError('createMtcnnBatches: no windows; see drawMtcnnWindows')
  const groups = (['none', 'face', 'part'] as const)
    .map((kind, i) => ({ share: parts[i], windows: windows.filter((window) => window.kind === kind) }))
    .filter((group) => group.windows.length > 0)
  const total = groups.reduce((sum, { share }) => sum + share, 0)
  const bytes = windows[0].pixels.length
  const size = Math.sqrt(bytes / 3)
  let random = createRandom(seed)
  const choose = (i: number): MtcnnWindow => {
    let until = 0
    const group = groups.find(({ share }) => i < ((until += share) / total) * batch) ?? groups.at(-1)!
    return group.windows[random.integer(group.windows.length)]
  }
  return {
    async next() {
      const pixels = new Float32Array(batch * bytes)
      const face = new Float32Array(batch)
      const box = new Float32Array(batch * 4)
      const points = new Float32Array(batch * 10)
      const supervisionMask = new Float32Array(batch * 3)
      const colors = new Float32Array(batch * 4)
      for (let i = 0; i < batch; i++) {
        const window = choose(i)
        pixels.set(window.pixels, i * bytes)
        face[i] = window.kind === 'face' ? 1 : 0
        box.set(window.box, i * 4)
        if (window.points) points.set(window.points, i * 10)
        const known = window.points && window.kind === 'face' ? 1 : 0
        supervisionMask.set([window.kind === 'part' ? 0 : 1, window.kind === 'none' ? 0 : 1, known], i * 3)
        for (let c = 0; c < 3; c++) colors[4 * i + c] = random.uniform(1 - color, 1 + color) / 255
        colors[4 * i + 3] = random.uniform(-color / 3, color / 3)
      }
      return tf.tidy(() => {
        const [gain, offset] = tf.split(tf.tensor4d(colors, [batch, 1, 1, 4]), [3, 1], 3)
        const raw = tf.tensor4d(pixels, [batch, size, size, 3])
        const images = tf.clipByValue(tf.add(tf.mul(raw, gain), offset), 0, 1) as tf.Tensor4D
        return [
          images,
          tf.tensor1d(face),
          tf.tensor2d(box, [batch, 4]),
          tf.tensor2d(points, [batch, 10]),
          tf.tensor2d(supervisionMask, [batch, 3]),
        ] as MtcnnBatch
      })
    },
    state: () => random.state(),
    restore: (state) => {
      random = restoreRandom(state as RandomState)
    },
  }
}
