import { ModelFormatError } from '@facekit/core'

/** Where a file of a model is: the path of a file (Node), a URL (`file:` in Node; `http:`, `https:`, `data:` and `blob:`, also as
 * texts, anywhere), or its bytes. */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer

/** Largest file that is read; the largest public face models have a tenth of it. */
const LARGEST_FILE = 4 * 2 ** 30

/** Whether a source has to be fetched. */
export const isRemote = (source: string | URL) => /^(https?|data|blob):/.test(String(source))

/** Name of a source for messages. */
export function sourceName(who: string, source: ModelSource): string {
  return typeof source === 'string' || source instanceof URL ? `${who}: ${String(source).slice(0, 200)}` : who
}

/** Name of a source's file without its ending; undefined where there is none. */
export function sourceStem(source: ModelSource): string | undefined {
  if (typeof source !== 'string' && !(source instanceof URL)) return undefined
  if (/^(data|blob):/.test(String(source))) return undefined
  const [, stem] = /([^/\\?#]+?)(?:\.\w+)?(?:[?#].*)?$/.exec(String(source)) ?? []
  return stem
}

/** Reads all bytes of a source.
 *
 * @param who - begins the messages, see `sourceName`
 * @throws {ModelFormatError} when it cannot be read, or is too large
 */
export async function readSource(source: ModelSource, who: string): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  if (source instanceof ArrayBuffer) return new Uint8Array(source)
  if (isRemote(source)) return download(String(source), who)
  await checkFileSize(source, who)
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  return readFile(source).catch((error: unknown) => {
    throw fileError(error, who)
  })
}

/** Sees that a file is there and not too large, before memory is taken for it.
 *
 * @returns its size in bytes
 */
export async function checkFileSize(path: string | URL, who: string): Promise<number> {
  const { stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, who)
  })
  if (!found.isFile()) throw new ModelFormatError(`${who}: is not a file; check the path`)
  if (found.size > LARGEST_FILE) {
    throw new ModelFormatError(`${who}: has ${found.size} bytes, expected at most ${LARGEST_FILE}`)
  }
  return found.size
}

function fileError(error: unknown, who: string): ModelFormatError {
  if (error instanceof ModelFormatError) return error
  const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
  return new ModelFormatError(`${who}: cannot be read (${why}); check the path`, { cause: error })
}

async function download(address: string, who: string): Promise<Uint8Array> {
  let response: Response
  try {
    response = await fetch(address)
  } catch (error) {
    throw new ModelFormatError(`${who}: cannot be fetched (${(error as Error).message})`, { cause: error })
  }
  if (!response.ok) throw new ModelFormatError(`${who}: cannot be fetched (status ${response.status})`)
  return new Uint8Array(await response.arrayBuffer())
}

/** Bytes that are read to tell what a file is: a header of .safetensors may name its format late, and the contents of HDF5 may begin
 * behind a user block. */
const START = 2 ** 20 + 8

/** The first bytes of a source.
 *
 * @throws {ModelFormatError} when it cannot be read
 */
export async function readStart(source: ModelSource, who: string): Promise<Uint8Array> {
  const isPath = (typeof source === 'string' || source instanceof URL) && !isRemote(source)
  if (!isPath) return (await readSource(source, who)).subarray(0, START)
  const { open } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const file = await open(source).catch((error: unknown) => {
    throw fileError(error, who)
  })
  try {
    const start = new Uint8Array(Math.min(START, (await file.stat()).size))
    const { bytesRead } = await file.read(start, 0, start.length, 0)
    return start.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
