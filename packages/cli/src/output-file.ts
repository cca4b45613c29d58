import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FacekitError, ValueError } from '@facekit/core'

/** Sees before any work that a file can be written.
 *
 * @param force - replace a file that exists
 * @throws {FacekitError} when it exists, or its folder does not
 * @throws {ValueError} when it is a folder
 */
export async function checkOutputFile(file: string, force: boolean): Promise<void> {
  const there = await stat(file).catch(() => undefined)
  if (there?.isDirectory()) throw new ValueError(`--out: ${file} is a folder, expected a file`)
  if (there && !force) throw new FacekitError(`${file} exists; use --force to replace it, or another --out`)
  if (!(await stat(dirname(file)).catch(() => undefined))?.isDirectory()) {
    throw new FacekitError(`${file} cannot be written: there is no folder ${dirname(file)}`)
  }
}
