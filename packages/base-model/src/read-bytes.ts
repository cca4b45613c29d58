import { ModelFormatError } from '@facekit/core'

/** The bytes of a file of this package: from disk (Node) or by `fetch` (browser).
 *
 * @param who - the public function that reads, begins the message
 * @param file - its name in `data/`, for the remedy
 * @throws {ModelFormatError} when it cannot be read
 */
export async function readBytes(
  who: string,
  source: string | URL | Uint8Array,
  file: string,
): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  const address = String(source)
  const fail = (why: string, cause?: unknown) =>
    new ModelFormatError(
      `${who}: cannot read ${address} (${why}); pass { source }: the address or the bytes of @facekit/base-model/data/${file}`,
      { cause },
    )
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  try {
    if (inNode && !/^(https?|data|blob):/.test(address)) {
      const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
      return await readFile(address.startsWith('file:') ? new URL(address) : address)
    }
    const response = await fetch(address)
    if (!response.ok) throw new Error(`status ${response.status}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    // Development servers answer with the start page where there is no file.
    if (bytes[0] === 0x3c) throw new Error('the server sent an HTML page')
    return bytes
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error), error)
  }
}
