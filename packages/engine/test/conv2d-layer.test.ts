import { initEngine } from '@facekit/engine'
import { testBackends } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describe, expect, it } from 'vitest'

describe.each(testBackends)('convolution layers on %s', (backend) => {
  it('gradient: nobody computes that of the pictures, and results are those of prediction', async () => {
    await initEngine({ backend })
    const options = { kernelSize: 3, useBias: false, padding: 'same' as const }
    const model = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ ...options, name: 'first', filters: 4, strides: 2, inputShape: [9, 9, 3] }),
        tfl.layers.conv2d({ ...options, name: 'second', filters: 5 }),
      ],
    })
    const x = tf.randomNormal([2, 9, 9, 3], 0, 1, 'float32', 1)
    const [a, b] = [model.apply(x, { training: true }), model.predict(x)] as tf.Tensor[]
    expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-5)
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable)
    const { kernels } = await tf.profile(() =>
      tf.tidy(() => {
        const loss = () => tf.sum(tf.square(model.apply(x, { training: true }) as tf.Tensor)) as tf.Scalar
        const { grads } = tf.variableGrads(loss, variables)
        expect(Object.keys(grads)).toHaveLength(2)
        return tf.scalar(0)
      }),
    )
    expect(kernels.filter(({ name }) => name === 'Conv2DBackpropInput')).toHaveLength(1)
    expect(kernels.filter(({ name }) => name === 'Conv2DBackpropFilter')).toHaveLength(2)
    tf.dispose([x, a, b])
  })
})
