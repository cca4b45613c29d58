import type { Worker } from 'node:worker_threads'
import { assertInteger } from '@facekit/core'
import { batchSampleOf, readBatchSample, type BatchSample } from './batch-sample.js'
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
  index: number
  resolve: (sample: BatchSample) => void
  reject: (error: unknown) => void
}

/** A thread, and what it reads. */
interface Thread {
  worker: Worker
  jobs: Map<number, Job>
}

/** Threads that may die before this one reads everything itself. */
const MOST_DEATHS = 3

/** Starts threads that read samples. When one dies, what it was reading is read by this thread, which thereby finds out which sample is
 * bad, and another thread takes its place. */
async function startThreads(dataset: FaceDataset, script: URL, count: number) {
  const { Worker } = await import(/* webpackIgnore: true */ 'node:worker_threads')
  const threads: Thread[] = []
  let [next, deaths, disposed] = [0, 0, false]
  // Threads keep the process alive only while it waits for them.
  const keepAlive = ({ worker, jobs }: Thread) => (jobs.size > 0 ? worker.ref() : worker.unref())
  const settle = (thread: Thread, id: number, act: (job: Job) => void) => {
    const job = thread.jobs.get(id)
    thread.jobs.delete(id)
    keepAlive(thread)
    if (job) act(job)
  }
  const readHere = ({ index, resolve, reject }: Job) =>
    void readBatchSample(dataset.entries[index]).then(resolve, reject)
  const start = () => {
    const thread: Thread = { worker: new Worker(script), jobs: new Map() }
    thread.worker.on('message', (answer: BatchAnswer) =>
      settle(thread, answer.id, ({ resolve, reject }) =>
        'sample' in answer ? resolve(answer.sample) : reject(new DatasetError(answer.reason)),
      ),
    )
    // Without a listener the error would end this process; the exit follows it.
    thread.worker.on('error', () => {})
    thread.worker.on('exit', () => {
      if (disposed) return
      threads.splice(threads.indexOf(thread), 1)
      if (++deaths <= MOST_DEATHS) start()
      for (const job of thread.jobs.values()) readHere(job)
      thread.jobs.clear()
    })
    thread.worker.unref()
    threads.push(thread)
  }
  for (let i = 0; i < count; i++) start()
  return {
    load: (index: number) =>
      new Promise<BatchSample>((resolve, reject) => {
        const id = next++
        const job = { index, resolve, reject }
        if (threads.length === 0) return readHere(job)
        const thread = threads[id % threads.length]
        thread.jobs.set(id, job)
        keepAlive(thread)
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        thread.worker.postMessage({ id, entry: dataset.entries[index] })
      }),
    dispose() {
      disposed = true
      for (const thread of threads) {
        void thread.worker.terminate()
        for (const id of thread.jobs.keys()) {
          settle(thread, id, ({ reject }) =>
            reject(new DatasetError('datasetBatches: disposed while it was reading')),
          )
        }
      }
    },
  }
}
