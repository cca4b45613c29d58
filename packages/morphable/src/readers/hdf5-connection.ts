import { ModelFormatError } from '@facekit/core'
import { openAccess, type Hdf5Access } from './hdf5-access.js'
import type { Hdf5Options } from './hdf5-file.js'
import { checkFileSize, isRemote, readSource, type ModelSource } from './model-source.js'

/** What is open. */
export interface Hdf5Connection {
  access: { [K in keyof Hdf5Access]: (...args: Parameters<Hdf5Access[K]>) => Promise<unknown> }
  /** Bytes of the file. */
  size: number
  close(): Promise<void>
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

/** Whether bytes begin like an HDF5 file. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((value, i) => bytes[i] === value)
}

/** Opens an HDF5 file: in a worker in Node, where damaged files can do no harm; elsewhere in this thread.
 *
 * Contributor notes: damaged files gave errors or their numbers, also in one thread; but h5wasm leaves a temporary file open for
 * each error, and after some 4,000 of them in one thread every file is refused, or one read never ends, which a thread
 * cannot stop. A worker costs about 0.1 s of CPU, and gives all the library's memory back when it ends.
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
    const { open } = await import(/* webpackIgnore: true */ 'node:fs/promises')
    const file = await open(path)
    const start = new Uint8Array(8)
    try {
      await file.read(start, 0, 8, 0)
    } finally {
      await file.close()
    }
    checkSignature(start, size, who)
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
  if (size >= 8 && isHdf5(start)) return
  throw new ModelFormatError(
    `${who}: is no HDF5 file (${size} bytes, without the signature at the start); is it complete?`,
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
