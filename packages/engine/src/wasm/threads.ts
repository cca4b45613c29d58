import type * as Os from 'node:os'
import type * as WorkerThreads from 'node:worker_threads'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { importOptional, isNode } from '../import-optional.js'
import { allocate, clear, int32View, withScratch, type Address, type LoadedModule } from './wasm-module.js'

/** What assembly/shared.ts exports besides the kernels. */
interface ThreadExports {
  controlBytes(): number
  share(control: Address, kind: number, tasks: number, scratch: Address, bytes: number, canWait: number): void
}

interface Threads {
  count: number
  control: Address
  exports: ThreadExports
}

/** Kernels whose work can be shared, by their number in assembly/threads.ts. */
const SHARED_KERNELS = { convolve: 0, filterGradient: 1, pack: 2, adam: 3 } as const

/** Where a control block's arguments begin. */
const ARGUMENTS = 64

/** More threads than this add little: the memory is the same for all. */
const MOST_THREADS = 16

const threads = new WeakMap<BackendWasm, Threads>()

/** How many threads compute, this one included. */
export function threadCount(backend: BackendWasm): number {
  return threads.get(backend)?.count ?? 1
}

let requested: number | undefined

/** Says how many threads the backend is to have that is started next. */
export function requestThreads(count: number | undefined): void {
  requested = count
}

/** How many threads were asked for, or else this machine is good for. */
export async function wantedThreads(): Promise<number> {
  if (requested !== undefined) return requested
  if (!isNode()) return Math.min(MOST_THREADS, globalThis.navigator?.hardwareConcurrency ?? 1)
  const os = await importOptional<typeof Os>('node:os')
  return Math.min(MOST_THREADS, os?.availableParallelism() ?? 1)
}

/** Starts workers that take part in kernels whose work can be shared. They sleep when there is nothing to do, and do not keep a process alive.
 *
 * @param loaded - assembly/shared.ts, compiled
 * @param count - threads in all, this one included
 */
export async function startThreads(
  backend: BackendWasm,
  { module, exports, memory }: LoadedModule,
  count: number,
): Promise<void> {
  const shared = exports as WebAssembly.Exports & ThreadExports
  const bytes = shared.controlBytes()
  const control = allocate(backend, bytes)
  clear(backend, control, bytes)
  for (let thread = 1; thread < count; thread++) await startWorker({ module, memory, control, thread })
  if (count > 1) threads.set(backend, { count, control, exports: shared })
}

interface WorkerData {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  control: Address
  thread: number
}

const RUN =
  'new WebAssembly.Instance(data.module, { env: { memory: data.memory } }).exports.work(data.control, data.thread)'

async function startWorker(data: WorkerData): Promise<void> {
  if (isNode()) {
    const { Worker } = (await importOptional<typeof WorkerThreads>('node:worker_threads'))!
    const code = `const { workerData: data } = require('node:worker_threads'); ${RUN}`
    // Options of the process, such as loaders, are nothing to a worker that only runs WASM.
    new Worker(code, { eval: true, workerData: data, execArgv: [], env: {}, stdin: false }).unref()
    return
  }
  const url = URL.createObjectURL(
    new Blob([`onmessage = ({ data }) => ${RUN}`], { type: 'application/javascript' }),
  )
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  new Worker(url).postMessage(data)
}

/** Numbers that are worth waking a thread for, where each is read and written a few times. */
const WORTH_SHARING = 1 << 17

/** Into how many tasks work in memory is best cut; 1: not at all. */
export function memoryParts(backend: BackendWasm, numbers: number): number {
  const count = threadCount(backend)
  return count === 1 || numbers < WORTH_SHARING ? 1 : count * 2
}

/** Has a kernel's tasks done by all threads.
 *
 * @param scratchBytes - scratch memory that a task needs
 * @param floats - numbers behind the whole ones
 */
export function shareTasks(
  backend: BackendWasm,
  kernel: keyof typeof SHARED_KERNELS,
  tasks: number,
  scratchBytes: number,
  values: readonly number[],
  floats: readonly number[] = [],
): void {
  const { count, control, exports } = threads.get(backend)!
  const bytes = (scratchBytes + 63) & ~63
  withScratch(backend, Math.max(64, count * bytes), (scratch) => {
    const numbers = int32View(backend, control + ARGUMENTS, values.length + floats.length)
    numbers.set(values)
    numbers.set(new Int32Array(Float32Array.from(floats).buffer), values.length)
    exports.share(control, SHARED_KERNELS[kernel], tasks, scratch, bytes, Number(isNode()))
  })
}
