import * as tf from '@tensorflow/tfjs-core'

/** A loss of your own: errors of the vertices that point the same way everywhere make a face swim; they cost more than noise. */
export const myLoss = {
  name: 'mine',
  weight: 0.5,
  compute: ({ foundVertices, trueVertices }) =>
    tf.tidy(() => tf.mean(tf.square(tf.mean(tf.sub(foundVertices, trueVertices), 1)))),
}
