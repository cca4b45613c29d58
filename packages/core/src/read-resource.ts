import { readRegularFile } from './regular-file.js'
import { unpackGzip } from './unpack-gzip.js'

/** Largest file that is unpacked, bytes: four times the largest one that comes with a package. */
const MOST_UNPACKED = 2 ** 28

/** The bytes of a file that code comes with: from disk (Node), or by `fetch` (an address, or anywhere but in Node).
 *
 * Gzip is unpacked wherever it was not on the way: `facekit` ships its networks and models in it, and few servers pack a `.safetensors` file themselves.
 *
 * @param source - a path or an address
 * @throws {Error} of the file system or of `fetch`, or one that says what is wrong with the answer; callers put it into a message of their own
 */
export async function readResource(source: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const address = String(source)
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined
  if (inNode && !/^(https?|data|blob):/.test(address)) {
    return unpackGzip(
      await readRegularFile(address.startsWith('file:') ? new URL(address) : address),
      MOST_UNPACKED,
    )
  }
  const response = await fetch(address)
  if (!response.ok) throw new Error(`status ${response.status}`)
  const bytes = new Uint8Array(await response.arrayBuffer())
  // Development servers answer with the start page where there is no file.
  if (bytes[0] === 0x3c) throw new Error('the server sent an HTML page')
  return unpackGzip(bytes, MOST_UNPACKED)
}
