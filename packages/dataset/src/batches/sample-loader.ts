import type { Worker } from 'node:worker_threads'
import { assertInteger } from '@facekit/core'
import { batchSampleOf, type BatchSample } from './batch-sample.js'
import type { BatchAnswer } from './batch-worker.js'
import { DatasetError } from '../dataset-error.js'
import type { FaceDataset } from '../samples/open-dataset.js'

/** Reads samples for batches. */
export interface SampleLoader {
  /** How many threads read besides this one. */
  readonly threads: number
  /** @throws {DatasetError} when the sample cannot be read */
  load(index: number): Promise<BatchSample>
  dispose(): void
}

/** Reads in threads of their own, or in this one, and keeps what was read last.
 *
 * @param threads - how many, where threads can read this data set
 * @param cacheBytes - how much is kept
 */
export async function createLoader(
  dataset: FaceDataset,
  threads: number | undefined,
  cacheBytes: number,
): Promise<SampleLoader> {
  const script = dataset.onDisk ? await workerScript() : undefined
  const count = threads ?? (script ? await usualThreads() : 0)
  assertInteger('datasetBatches: threads', count, 0, 256)
  const pool = script && count > 0 ? await startThreads(dataset, script, count) : undefined
  const read = pool?.load ?? (async (index: number) => batchSampleOf(await dataset.read(index)))
  const kept = new Map<number, BatchSample>()
  let bytes = 0
  const sizeOf = ({ image, masks }: BatchSample) => image.length + masks.length
  return {
    threads: pool ? count : 0,
    async load(index) {
      const known = kept.get(index)
      const sample = known ?? (await read(index))
      // The one that was used last comes last.
      if (kept.delete(index)) bytes -= sizeOf(sample)
      kept.set(index, sample)
      bytes += sizeOf(sample)
      for (const [oldest, old] of kept) {
        if (bytes <= cacheBytes) break
        kept.delete(oldest)
        bytes -= sizeOf(old)
      }
      return sample
    },
    dispose() {
      kept.clear()
      pool?.dispose()
    },
  }
}

/** The script of a thread, where it is there: not in a bundle, and not from source. */
async function workerScript(): Promise<URL | undefined> {
  if (typeof process === 'undefined' || !process.versions?.node) return undefined
  const { existsSync } = await import(/* webpackIgnore: true */ 'node:fs')
  const script = new URL('./batch-worker.js', import.meta.url)
  return script.protocol === 'file:' && existsSync(script) ? script : undefined
}

/** Enough to keep one backend busy. */
async function usualThreads(): Promise<number> {
  const { availableParallelism } = await import(/* webpackIgnore: true */ 'node:os')
  return Math.max(1, Math.min(4, availableParallelism() - 1))
}

interface Job {
  resolve: (sample: BatchSample) => void
  reject: (error: unknown) => void
}

async function startThreads(dataset: FaceDataset, script: URL, count: number) {
  const { Worker } = await import(/* webpackIgnore: true */ 'node:worker_threads')
  const jobs = new Map<number, Job>()
  const workers: Worker[] = []
  let next = 0
  // Threads keep the process alive only while it waits for them.
  const keepAlive = () => workers.forEach((worker) => (jobs.size > 0 ? worker.ref() : worker.unref()))
  const settle = (id: number, act: (job: Job) => void) => {
    const job = jobs.get(id)
    jobs.delete(id)
    keepAlive()
    if (job) act(job)
  }
  for (let i = 0; i < count; i++) {
    const worker = new Worker(script)
    worker.on('message', (answer: BatchAnswer) =>
      settle(answer.id, ({ resolve, reject }) =>
        'sample' in answer ? resolve(answer.sample) : reject(new DatasetError(answer.reason)),
      ),
    )
    worker.on('error', (error) => {
      for (const id of jobs.keys()) settle(id, ({ reject }) => reject(error))
    })
    worker.unref()
    workers.push(worker)
  }
  return {
    load: (index: number) =>
      new Promise<BatchSample>((resolve, reject) => {
        const id = next++
        jobs.set(id, { resolve, reject })
        keepAlive()
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        workers[id % count].postMessage({ id, entry: dataset.entries[index] })
      }),
    dispose() {
      for (const worker of workers) void worker.terminate()
      for (const id of jobs.keys()) {
        settle(id, ({ reject }) => reject(new DatasetError('datasetBatches: disposed while it was reading')))
      }
    },
  }
}
