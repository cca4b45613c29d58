import { ModelFormatError, readRegularFile } from '@facekit/core'

/** Reads a file of a data set: a regular one, as a pipe would be waited for, and a device read without end.
 *
 * @throws {ModelFormatError} when it is missing, cannot be read, or is no file
 */
export async function readDataFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return readRegularFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new ModelFormatError(`${path}: cannot be read (${cause.code})`, { cause })
  })
}

/** Text of a file that a data set may lack, in UTF-8; `undefined` without it. */
export async function readDataText(path: string): Promise<string | undefined> {
  const bytes = await readRegularFile(path).catch(() => undefined)
  return bytes && new TextDecoder().decode(bytes)
}
