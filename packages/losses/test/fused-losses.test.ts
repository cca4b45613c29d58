import * as tf from '@tensorflow/tfjs-core'
import { assertHealthy } from '@facekit/engine'
import { paperLossTerms, photometricLoss, uniformLoss, type LossContext } from '@facekit/losses'
import { hasWebgpu, useBackend } from '@facekit/testing'
import { expect, it } from 'vitest'

const webgpu = await hasWebgpu()

/** The loss of two pictures, one of which shows no face, and its gradients. */
async function run(backend: string): Promise<Float32Array[]> {
  await useBackend(backend)
  const picture = (channels: number, seed: number) =>
    tf.randomUniform([2, 37, 41, channels], 0, 1, 'float32', seed) as tf.Tensor4D
  const region = tf.mul(picture(1, 1), tf.tensor4d([1, 0], [2, 1, 1, 1])) as tf.Tensor4D
  const loss = (diffuse: tf.Tensor, image: tf.Tensor) =>
    photometricLoss({
      inputImage: picture(3, 2),
      diffuse: diffuse as tf.Tensor4D,
      image: image as tf.Tensor4D,
      mask: tf.clipByValue(tf.mul(picture(1, 3), 1.5), 0, 1) as tf.Tensor4D,
      faceRegion: region,
      skinProbability: picture(1, 4),
      eta: 0.7,
    })
  const { value, grads } = tf.valueAndGrads(loss)([picture(3, 5), picture(3, 6)])
  const results = await Promise.all([value, ...grads].map((tensor) => tensor.data<'float32'>()))
  await assertHealthy()
  return results
}

/** The same of the uniform loss, whose vertices are more than a workgroup adds up. */
async function runUniform(backend: string): Promise<Float32Array[]> {
  await useBackend(backend)
  const { value, grads } = tf.valueAndGrads((lit: tf.Tensor, harmonics: tf.Tensor) =>
    uniformLoss(lit as tf.Tensor3D, harmonics as tf.Tensor3D),
  )([tf.randomUniform([3, 700, 3], 0.3, 0.6, 'float32', 1), tf.randomUniform([3, 9, 3], -1, 1, 'float32', 2)])
  const results = await Promise.all([value, ...grads].map((tensor) => tensor.data<'float32'>()))
  await assertHealthy()
  return results
}

/** The same of the identity loss of a face in front of its picture, all of which the network sees. */
async function runIdentity(backend: string): Promise<Float32Array[]> {
  await useBackend(backend)
  const picture = (channels: number, seed: number) =>
    tf.randomUniform([2, 17, 13, channels], 0, 1, 'float32', seed) as tf.Tensor4D
  const [term] = paperLossTerms({ identityBackground: 'picture' })
  const { value, grads } = tf.valueAndGrads((image: tf.Tensor, mask: tf.Tensor) => {
    const context: Partial<LossContext> = {
      inputImage: picture(3, 1),
      embed: (images) => tf.reshape(images, [2, -1]),
      inputEmbedding: tf.randomUniform([2, 663], -1, 1, 'float32', 2),
      rendering: { image, mask } as LossContext['rendering'],
    }
    return term.compute(context as LossContext)
  })([tf.mul(picture(3, 3), 0.7), tf.clipByValue(tf.mul(picture(1, 4), 1.2), 0, 1)])
  const results = await Promise.all([value, ...grads].map((tensor) => tensor.data<'float32'>()))
  await assertHealthy()
  return results
}

it.skipIf(!webgpu)(
  'gradient: a face in front of its picture on webgpu is that of stock operations',
  async () => {
    await expectSame(runIdentity)
  },
)

it.skipIf(!webgpu)('gradient: uniformLoss on webgpu is that of stock operations and of the cpu', async () => {
  await expectSame(runUniform)
})

it.skipIf(!webgpu)(
  'gradient: photometricLoss on webgpu is that of stock operations and of the cpu',
  async () => {
    await expectSame(run)
  },
)

async function expectSame(run: (backend: string) => Promise<Float32Array[]>): Promise<void> {
  const expected = await run('device')
  for (const backend of ['cpu', 'wasm', 'webgpu']) {
    for (const [i, values] of (await run(backend)).entries()) {
      const scale = Math.max(...expected[i].map(Math.abs))
      const worst = Math.max(...values.map((value, k) => Math.abs(value - expected[i][k])))
      expect(worst / scale).toBeLessThan(1e-5)
    }
  }
}
