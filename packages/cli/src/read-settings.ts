import { readFile } from 'node:fs/promises'
import { ValueError } from '@facekit/core'
import { fileSystemReason } from './error-line.js'

/** Levels of lists and objects in a file of settings: more would overflow the stack of whatever walks through them. */
const DEEPEST = 64
/** Longest file, bytes; settings are small. */
const LONGEST = 64 * 2 ** 20

/** Reads a JSON file that a person wrote: in UTF-8, or in UTF-16 with a byte order mark, as editors and shells of Windows write it.
 *
 * @param path - names the file in errors
 * @param what - what it holds, in errors
 * @throws {ValueError} when it cannot be read, is no JSON, is too long, or has lists in lists of more than 64 levels
 */
export async function readSettings(path: string, what = 'the settings'): Promise<unknown> {
  // May be a pipe: facekit train <(jq ...)
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new ValueError(`${path}: ${what} cannot be read: ${fileSystemReason(error)}`, { cause: error })
  })
  if (bytes.length > LONGEST)
    throw new ValueError(`${path}: has ${bytes.length} bytes, expected settings of at most ${LONGEST}`)
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  let value: unknown
  try {
    // Removes the byte order mark.
    value = JSON.parse(new TextDecoder(encoding).decode(bytes)) as unknown
  } catch (error) {
    throw new ValueError(`${path}: is no JSON (${(error as Error).message})`, { cause: error })
  }
  if (isDeeper(value)) throw new ValueError(`${path}: has more than ${DEEPEST} levels, expected settings`)
  return value
}

/** Level by level, without recursion. */
function isDeeper(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return true
    const next: unknown[] = []
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue
      for (const member of Object.values(item)) next.push(member)
    }
    level = next
  }
  return false
}
