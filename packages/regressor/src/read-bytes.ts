import { ModelFormatError } from '@facekit/core'

/** Bytes of a file (Node) or an address (`https:` and the like, or anywhere but in Node).
 *
 * @throws {ModelFormatError} when it cannot be read
 */
export async function readBytes(who: string, source: string | URL | Uint8Array): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  const address = String(source)
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  try {
    if (inNode && !/^(https?|data|blob):/.test(address)) {
      const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ 'node:fs/promises')
      return await readFile(address.startsWith('file:') ? new URL(address) : address)
    }
    const response = await fetch(address)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (error) {
    throw new ModelFormatError(
      `${who}: cannot read ${address} (${error instanceof Error ? error.message : String(error)}); pass the right address, or the file's bytes`,
      { cause: error },
    )
  }
}
