import {
  createRandom,
  type Random,
  type RandomState,
  restoreRandom,
  showValue,
  ValueError,
} from '@facekit/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { BatchSource } from './training-options.js'

/** Batches that are drawn at random, and go on where they were after a resumption.
 *
 * @param seed - a whole number from 0; give each process of a run another one
 * @param draw - makes a batch from numbers of `random` alone; `index` counts batches from 0
 * @example
 * const batches = seededBatches(1, (random) => {
 *   const x = tf.tensor2d(Array.from({ length: 64 }, () => random.normal()), [32, 2])
 *   return [x, tf.sum(x, 1, true)]
 * })
 */
export function seededBatches<Batch extends Tensor[]>(
  seed: number,
  draw: (random: Random, index: number) => Batch | Promise<Batch>,
): BatchSource<Batch> {
  let random = createRandom(seed)
  let index = 0
  return {
    next: async () => draw(random, index++),
    state: () => ({ index, random: random.state() }),
    restore: (state) => {
      const stored = state as { index?: number; random?: RandomState } | undefined
      if (!Number.isInteger(stored?.index) || !stored?.random)
        throw new ValueError(`seededBatches: ${showValue(state)} is no state of these batches`)
      random = restoreRandom(stored.random)
      index = stored.index!
    },
  }
}
