// Runs in a page that may share memory: a convolution and its gradients, large enough for several threads; leaves what was found in `window.found`.
import * as tf from '@tensorflow/tfjs-core'
import { initEngine } from '@facekit/engine'

async function compute(backend: 'cpu' | 'wasm') {
  const { threads } = await initEngine({ backend, wasmPaths: '/wasm/', threads: 3 })
  const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.5, 'float32', seed)
  const sums = tf.tidy(() => {
    const x = random([2, 30, 30, 32], 1) as tf.Tensor4D
    const filter = random([3, 3, 32, 24], 2) as tf.Tensor4D
    const weights = tf.cos(tf.range(0, 2 * 30 * 30 * 24))
    const value = (a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.mul(tf.reshape(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'), [-1]), weights))
    const results = [value(x, filter), ...tf.grads(value)([x, filter])]
    return tf.stack(
      results.map((result) =>
        tf.sum(tf.mul(result, tf.reshape(tf.sin(tf.range(0, result.size)), result.shape))),
      ),
    )
  })
  const values = Array.from(await sums.data())
  sums.dispose()
  return { threads, values }
}

const found = {
  isolated: globalThis.crossOriginIsolated,
  cpu: await compute('cpu'),
  wasm: await compute('wasm').catch((error: Error) => error.message),
}
Object.assign(window, { found })
