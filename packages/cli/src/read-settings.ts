import { ValueError } from '@facekit/core'
import { readFile } from 'node:fs/promises'
import { fileSystemReason } from './error-line.js'

/** Reads a JSON file that a person wrote: in UTF-8, or in UTF-16 with a byte order mark, as editors and shells of Windows write it.
 *
 * @param path - names the file in errors
 * @throws {ValueError} when it cannot be read, or is no JSON
 */
export async function readSettings(path: string): Promise<unknown> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new ValueError(`${path}: the settings cannot be read: ${fileSystemReason(error)}`, { cause: error })
  })
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    // Removes the byte order mark.
    return JSON.parse(new TextDecoder(encoding).decode(bytes)) as unknown
  } catch (error) {
    throw new ValueError(`${path}: is no JSON (${(error as Error).message})`, { cause: error })
  }
}
