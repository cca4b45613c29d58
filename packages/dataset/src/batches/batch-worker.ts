import { parentPort } from 'node:worker_threads'
import { readBatchSample, type BatchSample } from './batch-sample.js'
import type { SampleEntry } from '../samples/find-samples.js'

/** What is sent to the thread. */
export interface BatchRequest {
  id: number
  entry: SampleEntry
}
/** What it answers. */
export type BatchAnswer = { id: number } & ({ sample: BatchSample } | { reason: string })

// A thread of datasetBatches: reads and decodes.
parentPort?.on('message', ({ id, entry }: BatchRequest) => {
  readBatchSample(entry).then(
    (sample) => {
      const buffers = [sample.image, sample.masks].map(({ buffer }) => buffer as ArrayBuffer)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      parentPort!.postMessage({ id, sample } satisfies BatchAnswer, [...new Set(buffers)])
    },
    (error: unknown) => {
      const reason = (error as Error)?.message ?? String(error)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      parentPort!.postMessage({ id, reason } satisfies BatchAnswer)
    },
  )
})
