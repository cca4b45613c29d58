import { ModelFormatError, readResource } from '@facekit/core'

/** The bytes of a file of this package.
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
  try {
    return await readResource(source)
  } catch (error) {
    throw new ModelFormatError(
      `${who}: cannot read ${String(source)} (${error instanceof Error ? error.message : String(error)}); pass { source }: the address or the bytes of @facekit/base-model/data/${file}`,
      { cause: error },
    )
  }
}
