import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GradientReducer, TrainingLoss, TrainingOptions } from '@facekit/trainer'
import { runTraining, seededBatches } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

const folders: string[] = []
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A folder of its own for a test; removed at the end. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'facekit-trainer-'))
  folders.push(folder)
  return folder
}

/** A small network with convolution and batch normalisation; always starts the same. */
export function tinyNetwork(): tfl.LayersModel {
  const init = (seed: number) => tfl.initializers.glorotUniform({ seed })
  const input = tfl.input({ shape: [8, 8, 3], name: 'input' })
  let x = tfl.layers
    .conv2d({
      filters: 4,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: init(1),
      name: 'conv',
    })
    .apply(input) as tfl.SymbolicTensor
  x = tfl.layers.batchNormalization({ name: 'norm' }).apply(x) as tfl.SymbolicTensor
  x = tfl.layers.reLU({ name: 'relu' }).apply(x) as tfl.SymbolicTensor
  x = tfl.layers.globalAveragePooling2d({ name: 'pool' } as never).apply(x) as tfl.SymbolicTensor
  const y = tfl.layers.dense({ units: 2, kernelInitializer: init(2), name: 'head' }).apply(x)
  return tfl.model({ inputs: input, outputs: y as tfl.SymbolicTensor })
}

/** Pictures, and two numbers about each. */
export function tinyBatches(seed = 1, size = 6) {
  return seededBatches<[tf.Tensor4D, tf.Tensor2D]>(seed, (random) => {
    const pixels = Float32Array.from({ length: size * 192 }, () => random.uniform())
    const targets = Float32Array.from({ length: size * 2 }, (_, i) => {
      const picture = pixels.subarray((i >> 1) * 192, (i >> 1) * 192 + 192)
      return i % 2 === 0 ? 4 * picture[0] : picture[10] - picture[20]
    })
    return [tf.tensor4d(pixels, [size, 8, 8, 3]), tf.tensor2d(targets, [size, 2])]
  })
}

/** Mean squared error, and a term. */
export const tinyLoss =
  (model: tfl.LayersModel, training = true) =>
  (_: number, x: tf.Tensor4D, y: tf.Tensor2D): TrainingLoss => {
    const error = tf.sub(model.apply(x, { training }) as tf.Tensor2D, y)
    const square = tf.mean(tf.square(error)) as tf.Scalar
    const size = tf.mean(tf.abs(error)) as tf.Scalar
    return { total: tf.add(square, tf.mul(size, 0.1)) as tf.Scalar, terms: { square, size } }
  }

/** Reducers of processes that are all in this one, one for each rank. */
export function memoryReducers(size: number): GradientReducer[] {
  let waiting: { values: Float32Array | Float64Array; done: () => void }[] = []
  const allReduce = (values: Float32Array | Float64Array) =>
    new Promise<void>((done) => {
      waiting.push({ values, done })
      if (waiting.length < size) return
      const all = waiting
      waiting = []
      const sums = values.map((_, i) => all.reduce((sum, part) => sum + part.values[i], 0))
      for (const part of all) {
        part.values.set(sums)
        part.done()
      }
    })
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    allReduce,
    allReduceSync: () => {
      throw new Error('batch normalisation is not shared here')
    },
    abort: () => {},
    close: () => {},
  }))
}

type TinyBatch = [tf.Tensor4D, tf.Tensor2D]

/** Trains the small network and gives the loss of each iteration. */
export async function trainTiny(options: Partial<TrainingOptions<TinyBatch>> = {}) {
  const model = tinyNetwork()
  const losses = new Map<number, number>()
  try {
    const result = await runTraining<TinyBatch>({
      model,
      loss: tinyLoss(model),
      batches: tinyBatches(),
      iterations: 12,
      learningRate: 0.02,
      ...options,
      onProgress: (progress) => {
        losses.set(progress.iteration, progress.loss)
        options.onProgress?.(progress)
      },
    })
    const weights = await Promise.all(
      model.weights.map(async (weight) => Array.from(await weight.read().data())),
    )
    return { result, losses, weights }
  } finally {
    model.dispose()
  }
}
