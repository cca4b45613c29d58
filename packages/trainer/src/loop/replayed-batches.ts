import { assertInteger, createRandom, restoreRandom, type RandomState } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import type { BatchSource } from './training-options.js'

/** Options of `replayedBatches`. */
export interface ReplayOptions {
  /** How often each batch is used, on average. Default 3. */
  times?: number
  /** Batches that are remembered. Default 16. */
  kept?: number
  /** Default 1. */
  seed?: number
}

/** A batch that may be used again, and the state of the source that gives it anew. */
interface KeptBatch {
  from: unknown
  batch: tf.Tensor[]
}

/** Plain JSON. */
interface ReplayState {
  source: unknown
  kept: unknown[]
  random: RandomState
  drawn: number
}

/** Uses every batch of a source several times, at random moments soon after it was made: for sources, such as a renderer, that take longer to make
 * a batch than a training takes to learn from it.
 *
 * After `restore` the remembered batches are made anew from the source's states, so that a resumed training sees the same ones.
 *
 * @returns a source; `dispose` also disposes that of `source`
 * @memory keeps up to `kept` batches until `dispose`
 * @throws {ValueError} when an option is no whole number above 0
 * @example
 * const rendered = replayedBatches(renderedBatches(synthesizer), { times: 3 })
 */
export function replayedBatches<Batch extends tf.Tensor[]>(
  source: BatchSource<Batch>,
  options: ReplayOptions = {},
): BatchSource<Batch> {
  const { times = 3, kept: limit = 16, seed = 1 } = options
  assertInteger('replayedBatches: times', times, 1)
  assertInteger('replayedBatches: kept', limit, 1)
  let random = createRandom(seed)
  let drawn = 0
  let kept: KeptBatch[] = []
  /** States of batches that are to be made anew. */
  let missing: unknown[] = []
  const forget = (removed: KeptBatch[]) => tf.dispose(removed.map(({ batch }) => batch))
  const clone = (batch: tf.Tensor[]) => batch.map((tensor) => tf.clone(tensor)) as Batch
  const make = async (): Promise<KeptBatch> => {
    const from = source.state()
    return { from, batch: await source.next() }
  }
  const refill = async () => {
    if (missing.length === 0) return
    const here = source.state()
    for (; missing.length > 0; missing = missing.slice(1)) {
      source.restore(missing[0])
      kept.push(await make())
    }
    source.restore(here)
  }
  return {
    async next() {
      await refill()
      if (drawn++ % times === 0) {
        if (kept.length === limit) forget(kept.splice(random.integer(limit), 1))
        kept.push(await make())
        return clone(kept[kept.length - 1].batch)
      }
      return clone(kept[random.integer(kept.length)].batch)
    },
    state: (): ReplayState => ({
      source: source.state(),
      kept: [...kept.map(({ from }) => from), ...missing],
      random: random.state(),
      drawn,
    }),
    restore(state) {
      const stored = state as ReplayState
      forget(kept)
      kept = []
      missing = stored.kept
      random = restoreRandom(stored.random)
      drawn = stored.drawn
      source.restore(stored.source)
    },
    dispose() {
      forget(kept)
      kept = []
      source.dispose?.()
    },
  }
}
