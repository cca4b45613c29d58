import { ModelFormatError, readResource } from '@facekit/core'

/** Bytes of a file (Node) or an address (`https:` and the like, or anywhere but in Node).
 *
 * @throws {ModelFormatError} when it cannot be read
 */
export async function readBytes(who: string, source: string | URL | Uint8Array): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  try {
    return await readResource(source)
  } catch (error) {
    throw new ModelFormatError(
      `${who}: cannot read ${String(source)} (${error instanceof Error ? error.message : String(error)}); pass the right address, or the file's bytes`,
      { cause: error },
    )
  }
}
