import { ModelFormatError } from '@facekit/core'
import { openAccess, type Hdf5Access } from './hdf5-access.js'
import { findSuperblock } from './hdf5-number-type.js'
import { checkFileSize, isRemote, readSource, readStart, type ModelSource } from '../readers/model-source.js'

/** Options of everything that reads HDF5. */
export interface Hdf5Options {
  /** Seconds after which reading one block is given up; only Node can (the file is read in a worker). Default 30. */
  timeLimit?: number
  /** Whether the file is read in a worker (Node). `false` saves 0.1 s for files that are known to be good. Default true. */
  isolate?: boolean
}

/** What is open. */
export interface Hdf5Connection {
  access: { [K in keyof Hdf5Access]: (...args: Parameters<Hdf5Access[K]>) => Promise<unknown> }
  /** Bytes of the file. */
  size: number
  close(): Promise<void>
}

/** Whether bytes begin like an HDF5 file, behind a user block or without one. */
export function isHdf5(bytes: Uint8Array): boolean {
  return findSuperblock((at, length) => bytes.subarray(at, at + length), bytes.length) >= 0
}

// Contributor notes: damaged files gave errors or their numbers, also in one thread; but h5wasm leaves a temporary file open for
// each error, and after some 4,000 of them in one thread every file is refused, or one read never ends, which a thread
// cannot stop. A worker costs about 0.1 s of CPU, and gives all the library's memory back when it ends.

/** Opens an HDF5 file: in a worker in Node, where damaged files can do no harm; elsewhere in this thread.
 *
 * @param options - `timeLimit`: seconds for one answer, worker only
 * @throws {ModelFormatError} when it cannot be read, is no HDF5 file, or damaged
 */
export async function connectHdf5(
  source: ModelSource,
  who: string,
  options: Hdf5Options,
): Promise<Hdf5Connection> {
  const { timeLimit = 30, isolate = true } = options
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  const path = typeof source === 'string' || source instanceof URL ? source : undefined
  if (inNode && path !== undefined && !isRemote(path)) {
    const size = await checkFileSize(path, who)
    checkSignature(await readStart(path, who), size, who)
    const { fileURLToPath } = await import(/* webpackIgnore: true */ 'node:url')
    const plain = path instanceof URL || path.startsWith('file:') ? fileURLToPath(path) : path
    const worker = isolate ? await connectWorker({ path: plain }, who, size, timeLimit) : undefined
    return worker ?? direct(await readSource(path, who), who)
  }
  const bytes = await readSource(source, who)
  checkSignature(bytes, bytes.length, who)
  const worker = inNode && isolate ? await connectWorker({ bytes }, who, bytes.length, timeLimit) : undefined
  // A copy: the library takes the bytes over.
  return worker ?? direct(bytes.slice(), who)
}

function checkSignature(start: Uint8Array, size: number, who: string): void {
  if (isHdf5(start)) return
  throw new ModelFormatError(
    `${who}: is no HDF5 file (${size} bytes, without the signature at the start or behind a user block of up to 1 MiB); is it complete?`,
  )
}

const damaged = (who: string, why: string) =>
  new ModelFormatError(`${who}: cannot be read as HDF5 (${why}); the file is truncated or damaged`)

async function direct(bytes: Uint8Array, who: string): Promise<Hdf5Connection> {
  let access: Hdf5Access
  try {
    access = await openAccess(bytes)
  } catch (error) {
    throw damaged(who, reason(error))
  }
  const call =
    (method: keyof Hdf5Access) =>
    async (...args: unknown[]) => {
      try {
        return (access[method] as (...values: unknown[]) => unknown)(...args)
      } catch (error) {
        throw damaged(who, reason(error))
      }
    }
  return {
    access: {
      list: call('list'),
      describe: call('describe'),
      read: call('read'),
      attributes: call('attributes'),
      close: call('close'),
    },
    size: bytes.length,
    close: async () => {
      try {
        access.close()
      } catch {
        // What matters has been read; a damaged file may refuse to be closed.
      }
    },
  }
}

/** One line: of HDF5's stack of errors the innermost, which says most. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const stack = [...message.matchAll(/^\s*#\d+: .*?\(\): (.+)$/gm)]
  return (stack.at(-1)?.[1] ?? message.split('\n')[0]).slice(0, 200).trim()
}

interface Answer {
  id: number
  value?: unknown
  error?: string
}

async function connectWorker(
  file: { bytes: Uint8Array } | { path: string },
  who: string,
  size: number,
  timeLimit: number,
): Promise<Hdf5Connection | undefined> {
  const { Worker } = await import(/* webpackIgnore: true */ 'node:worker_threads')
  const code = new URL('./hdf5-worker.js', import.meta.url)
  const { access: canAccess } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  // A program that was bundled into one file has lost the worker's.
  if (code.protocol !== 'file:' || (await canAccess(code).catch(() => 'missing'))) return undefined
  const worker = new Worker(code, { workerData: file, execArgv: [], stdout: true, stderr: true })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let ended: ModelFormatError | undefined
  const end = (why: string) => {
    ended ??= damaged(who, why)
    for (const { reject } of waiting.values()) reject(ended)
    waiting.clear()
  }
  worker.on('message', ({ id, value, error }: Answer) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(damaged(who, reason(error)))
  })
  worker.on('error', (error) => end(reason(error)))
  worker.on('exit', () => end('the reader ended'))
  const answer = (id: number) => {
    if (ended) return Promise.reject(ended)
    let timer: NodeJS.Timeout
    return new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      timer = setTimeout(() => {
        end(`no answer within ${timeLimit} s`)
        void worker.terminate()
      }, timeLimit * 1000)
    }).finally(() => clearTimeout(timer))
  }
  let next = 0
  const call =
    (method: keyof Hdf5Access) =>
    (...args: unknown[]) => {
      const id = ++next
      const result = answer(id)
      // eslint-disable-next-line unicorn/require-post-message-target-origin
      worker.postMessage({ id, method, args })
      return result
    }
  const close = async () => {
    ended ??= damaged(who, 'it is closed')
    await worker.terminate()
  }
  try {
    await answer(0)
  } catch (error) {
    await close()
    throw error
  }
  return {
    access: {
      list: call('list'),
      describe: call('describe'),
      read: call('read'),
      attributes: call('attributes'),
      close: call('close'),
    },
    size,
    close,
  }
}
