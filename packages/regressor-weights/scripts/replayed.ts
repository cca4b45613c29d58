import { createRandom } from '@facekit/core'
import type { BatchSource } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

/** Shows every batch several times, at random moments not long after it was made: where making one takes longer than learning from it.
 *
 * The state is that of the source: after a resumption the old ones are gone, new ones come first.
 *
 * @param times - how often each batch is shown, on average
 * @param kept - batches that are remembered
 */
export function replayed<Batch extends tf.Tensor[]>(
  source: BatchSource<Batch>,
  { times = 3, kept = 16, seed = 1 } = {},
): BatchSource<Batch> {
  const random = createRandom(seed)
  const pool: tf.Tensor[][] = []
  let shown = 0
  return {
    next: async () => {
      if (pool.length < 2 || shown++ % times === 0) {
        const batch = await source.next()
        pool.push(batch.map((tensor) => tf.clone(tensor)))
        if (pool.length > kept) tf.dispose(pool.splice(random.integer(kept), 1))
        return batch
      }
      return pool[random.integer(pool.length)].map((tensor) => tf.clone(tensor)) as Batch
    },
    state: () => source.state(),
    restore: (state) => source.restore(state),
    dispose: () => {
      tf.dispose(pool.splice(0))
      source.dispose?.()
    },
  }
}
