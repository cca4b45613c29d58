import { FacekitError, writeFileAtomic } from '@facekit/core'
import { encodeParameters } from '@facekit/parameters'
import { fileSystemReason } from '../error-line.js'
import { checkOutputFile } from '../output-file.js'
import { readParametersFile } from '../render/read-parameters-file.js'
import { changeFace, type FaceChanges } from './face-changes.js'

/** Members that tell what was measured in the photograph; they do not hold for another face. */
const MEASURED = ['landmarks', 'landmarks3d', 'gaze', 'metric', 'annotatedLandmarks', 'metrics'] as const

/** What became of an edited file; what `--json` prints. */
export interface EditReport {
  file: string
  /** Parts whose numbers changed. */
  changed: string[]
}

/** Writes a changed copy of a parameters.json.
 *
 * @throws {ValueError} when the file is not one, or a change names what it does not have
 * @throws {FacekitError} when the output cannot be written
 */
export async function editParameters(
  source: string,
  out: string,
  changes: FaceChanges,
  force: boolean,
): Promise<EditReport> {
  await checkOutputFile(out, force)
  const { face, expressionNames, json } = await readParametersFile(source)
  const before = encodeParameters(face)
  const after = encodeParameters(await changeFace(face, expressionNames, changes))
  const parts = ['identity', 'expression', 'albedo', 'pose', 'illumination'] as const
  const changed = parts.filter((part) => JSON.stringify(before[part]) !== JSON.stringify(after[part]))
  const result: Record<string, unknown> = { ...json }
  for (const part of changed) result[part] = after[part]
  if (changed.some((part) => part !== 'illumination' && part !== 'albedo'))
    for (const member of MEASURED) delete result[member]
  await writeFileAtomic(out, `${JSON.stringify(result, null, 1)}\n`).catch((cause: unknown) => {
    throw new FacekitError(`${out} cannot be written: ${fileSystemReason(cause)}`, { cause })
  })
  return { file: out, changed }
}
