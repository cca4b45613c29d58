import { CheckpointError } from '@facekit/core'
import { readCheckpoint, readLatestCheckpoint, type Checkpoint } from './checkpoint.js'
import type { TrainingOptions } from './training-options.js'

/** The checkpoint that a training goes on from.
 *
 * @returns nothing for a training that begins
 * @throws {CheckpointError} when there should be one, or should not, or it is of another number of processes
 */
export async function findResumption({
  folder,
  resume = false,
  reducer,
}: Pick<TrainingOptions, 'folder' | 'resume' | 'reducer'>): Promise<
  { checkpoint: Checkpoint; path: string } | undefined
> {
  const found = await find(folder, resume)
  const size = reducer?.size ?? 1
  if (found && found.checkpoint.batches.length !== size) {
    throw new CheckpointError(
      `runTraining: checkpoint ${found.path} is of ${found.checkpoint.batches.length} processes, this run has ${size}; start as many`,
    )
  }
  return found
}

async function find(folder: string | undefined, resume: NonNullable<TrainingOptions['resume']>) {
  const warn = (error: CheckpointError) => console.warn(`${error.message}; the one before is taken`)
  const missing = (where: string) =>
    new CheckpointError(
      `runTraining: there is no checkpoint in ${where} to resume from; start without resume`,
    )
  if (typeof resume === 'string' && resume !== 'auto') {
    if (resume.endsWith('.safetensors')) return { checkpoint: await readCheckpoint(resume), path: resume }
    const found = await readLatestCheckpoint(resume, warn)
    if (!found) throw missing(resume)
    return found
  }
  if (folder === undefined) return undefined
  const found = await readLatestCheckpoint(folder, warn)
  if (resume === true && !found) throw missing(folder)
  if (resume === false && found) {
    throw new CheckpointError(
      `runTraining: folder ${folder} holds a training that got to iteration ${found.checkpoint.iteration}; resume it, or name another folder`,
    )
  }
  return found
}
