// Runs in a page: trains a small network on each backend, recorded, and leaves the losses in `window.losses`.
import * as tf from '@tensorflow/tfjs-core'
import { batchNormalization, initEngine, recordStep, type BackendName } from '@facekit/engine'

async function train(backend: BackendName): Promise<number[]> {
  await initEngine({ backend, wasmPaths: '/wasm/' })
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.5, 'float32', seed)
  const filter = tf.variable(random([3, 3, 3, 6], 1) as tf.Tensor4D)
  const scale = tf.variable(tf.ones([6]) as tf.Tensor1D)
  const offset = tf.variable(tf.zeros([6]) as tf.Tensor1D)
  const weights = tf.variable(random([6, 2], 2) as tf.Tensor2D)
  const adam = tf.train.adam(0.05)
  const step = recordStep((x: tf.Tensor4D, y: tf.Tensor2D) =>
    adam.minimize(() => {
      const normal = batchNormalization(tf.conv2d(x, filter, 2, 'same'), scale, offset, {
        epsilon: 1e-3,
        activation: 'relu',
      })
      const features = tf.mean(tf.maxPool(normal.output, 2, 1, 'same'), [1, 2]) as tf.Tensor2D
      return tf.mean(tf.square(tf.sub(tf.matMul(features, weights), y))) as tf.Scalar
    }, true)!,
  )
  const losses: number[] = []
  for (let i = 0; i < 6; i++) {
    const x = random([2, 9, 9, 3], 10 + i) as tf.Tensor4D
    const y = random([2, 2], 50 + i) as tf.Tensor2D
    const loss = step(x, y)
    losses.push((await loss.data())[0])
    tf.dispose([x, y, loss])
  }
  step.dispose()
  adam.dispose()
  tf.dispose([filter, scale, offset, weights])
  return losses
}

const result: Record<string, number[] | string> = {}
for (const backend of ['cpu', 'wasm', 'webgpu'] as const) {
  result[backend] = await train(backend).catch((error: Error) => error.message)
}
Object.assign(window, { losses: result })
