import { ModelFormatError } from '@facekit/core'
import { decodeMorphableModel } from './decode-morphable-model.js'
import type { MorphableModel } from './morphable-model.js'

/** Largest file that is read; the largest public face models have a tenth of it. */
const LARGEST_FILE = 4 * 2 ** 30

/** Loads a face model from one .safetensors file.
 *
 * @param source - the path of a file (Node), a URL (`file:` in Node; `http:`, `https:`, `data:` and `blob:`, also as texts,
 * anywhere), or the bytes themselves
 * @returns plain data; nothing to dispose until it is evaluated (see `disposeModel`)
 * @throws {ModelFormatError} when the file is not there, truncated, damaged, foreign, too large or of another version
 */
export async function loadMorphableModel(
  source: string | URL | Uint8Array | ArrayBuffer,
): Promise<MorphableModel> {
  if (source instanceof Uint8Array) return decodeMorphableModel(source, 'loadMorphableModel')
  if (source instanceof ArrayBuffer) return decodeMorphableModel(new Uint8Array(source), 'loadMorphableModel')
  const who = `loadMorphableModel: ${String(source).slice(0, 200)}`
  const remote = /^(https?|data|blob):/.test(String(source))
  const bytes = remote ? await download(String(source), who) : await readFile(source, who)
  return decodeMorphableModel(bytes, who)
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

async function readFile(path: string | URL, who: string): Promise<Uint8Array> {
  const { readFile, stat } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  try {
    const { size } = await stat(path)
    if (size > LARGEST_FILE) {
      throw new ModelFormatError(`${who}: has ${size} bytes, expected at most ${LARGEST_FILE}`)
    }
    return await readFile(path)
  } catch (error) {
    if (error instanceof ModelFormatError) throw error
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
    throw new ModelFormatError(`${who}: cannot be read (${why}); check the path`, { cause: error })
  }
}
