import { type Segmenter, createSegmenter, meanLandmarks } from '@facekit/annotate'
import { pseudoLabels, segmentationLoss } from '@facekit/annotate-training'
import { labelOf } from '@facekit/core'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'

const tiny = { inputSize: 32, widths: [4, 6, 8], seed: 3 }

describe('training', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: a tiny network learns to tell the halves of a picture', async () => {
    const segmenter = createSegmenter({ ...tiny, classes: 2 })
    const images = tf.tidy(
      () => tf.concat([tf.fill([2, 32, 16, 3], 0.2), tf.fill([2, 32, 16, 3], 0.8)], 2) as tf.Tensor4D,
    )
    const labels = tf.tidy(
      () => tf.concat([tf.zeros([2, 32, 16], 'int32'), tf.ones([2, 32, 16], 'int32')], 2) as tf.Tensor3D,
    )
    const optimizer = tf.train.adam(0.01)
    const losses: number[] = []
    for (let i = 0; i < 25; i++) {
      const loss = optimizer.minimize(
        () => segmentationLoss(segmenter.apply(images, { training: true }), labels),
        true,
      )!
      losses.push((await loss.data())[0])
      loss.dispose()
    }
    expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0])
    tf.dispose([images, labels])
    optimizer.dispose()
    segmenter.dispose()
  })
})

describe('pseudoLabels', () => {
  beforeAll(() => useBackend('wasm'))

  /** A segmenter that says the same of every pixel. */
  const certain = (name: 'skin' | 'hair' | 'background', probability: number): Segmenter => {
    const segmenter = createSegmenter(tiny)
    const rest = (1 - probability) / 18
    const row = Array.from({ length: 19 }, (_, c) => (c === labelOf(name) ? probability : rest))
    const predict = (images: tf.Tensor4D) =>
      tf.tile(tf.tensor4d(row, [1, 1, 1, 19]), [...images.shape.slice(0, 3), 1]) as tf.Tensor4D
    return { ...segmenter, predict }
  }
  const crop = () =>
    ndarray(
      new Float32Array(224 * 224 * 3).map((_, i) => [0.75, 0.55, 0.45][i % 3]),
      [224, 224, 3],
    )
  const label = async (name: 'skin' | 'hair' | 'background', probability: number) => {
    const segmenter = certain(name, probability)
    const labels = await pseudoLabels(segmenter, crop(), meanLandmarks())
    segmenter.dispose()
    return { nose: labels[120 * 224 + 112], corner: labels[5 * 224 + 5] }
  }

  it('value: what is sure and not contradicted', async () => {
    expect(await label('skin', 0.9)).toEqual({ nose: labelOf('skin'), corner: 255 })
    expect(await label('hair', 0.9)).toEqual({ nose: 255, corner: labelOf('hair') })
    expect(await label('background', 0.5)).toEqual({ nose: 255, corner: 255 })
  })
})
