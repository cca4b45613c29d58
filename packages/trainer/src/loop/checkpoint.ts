import {
  CheckpointError,
  readRegularFile,
  readSafetensors,
  writeFileAtomic,
  writeSafetensors,
  type SafetensorsData,
  type SafetensorsEntry,
} from '@facekit/core'
import { crc32c } from '../log/crc32c.js'

const FORMAT = 'facekit-training'
const VERSION = '1'
const NAME = /^checkpoint-(\d{9})\.safetensors$/
const POINTER = 'latest'

/** A training at one moment. */
export interface Checkpoint {
  /** Iterations that are done. */
  iteration: number
  /** Variables as `model/<name>`, the optimiser's state as `optimizer/<name>`. */
  tensors: Map<string, SafetensorsEntry>
  /** Where the batches stood, one for each process of the run. */
  batches: unknown[]
}

const checkpointName = (iteration: number) => `checkpoint-${String(iteration).padStart(9, '0')}.safetensors`

/** Where the checkpoint of an iteration is. */
export async function checkpointPath(folder: string, iteration: number): Promise<string> {
  const { join } = await import('node:path')
  return join(folder, checkpointName(iteration))
}

/** Writes a checkpoint into a folder that is there, whole or not at all, makes it the latest, and removes those before the last `keep`.
 *
 * @returns its path
 * @throws {CheckpointError} when the folder cannot be written
 */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint, keep: number): Promise<string> {
  const { rm } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const { iteration, tensors, batches } = checkpoint
  const name = checkpointName(iteration)
  const path = join(folder, name)
  const metadata = {
    format: FORMAT,
    version: VERSION,
    iteration: String(iteration),
    batches: JSON.stringify(batches),
  }
  const checksum = String(checksumOf(metadata, tensors))
  const bytes = writeSafetensors({ metadata: { ...metadata, checksum }, tensors })
  try {
    await writeFileAtomic(path, bytes)
    await writeFileAtomic(join(folder, POINTER), `${name}\n`)
    const names = await checkpointNames(folder)
    for (const old of names.filter((other) => other <= name).slice(keep))
      await rm(join(folder, old), { force: true })
  } catch (error) {
    throw new CheckpointError(
      `runTraining: checkpoint ${path} cannot be written: ${(error as Error).message}; is there room, and may this process write there?`,
      { cause: error },
    )
  }
  return path
}

/** Reads a checkpoint of `runTraining`.
 *
 * @throws {CheckpointError} when the file is missing, truncated, damaged or no checkpoint
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const fail = (what: string, cause?: unknown) =>
    new CheckpointError(`readCheckpoint: ${path}: ${what}`, cause === undefined ? undefined : { cause })
  let bytes: Uint8Array
  try {
    bytes = await readRegularFile(path)
  } catch (error) {
    throw fail(`cannot be read: ${(error as Error).message}`, error)
  }
  let file
  try {
    file = readSafetensors(bytes, path)
  } catch (error) {
    throw fail(`is damaged (${(error as Error).message})`, error)
  }
  const { checksum, ...metadata } = file.metadata
  if (metadata.format !== FORMAT)
    throw fail('is no checkpoint of a training; weights alone are loaded with loadLayersWeights')
  if (metadata.version !== VERSION)
    throw fail(
      `has version ${metadata.version}, this program reads ${VERSION}; use the program that wrote it`,
    )
  if (checksum !== String(checksumOf(metadata, file.tensors)))
    throw fail('is damaged: its checksum does not fit')
  const iteration = Number(metadata.iteration)
  const batches = parseList(metadata.batches)
  if (!Number.isSafeInteger(iteration) || iteration < 0 || !batches)
    throw fail('says nothing of its iteration or batches')
  return { iteration, tensors: file.tensors, batches }
}

function parseList(text: string | undefined): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Paths of the checkpoints in a folder, the latest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const { join } = await import('node:path')
  return (await checkpointNames(folder)).map((name) => join(folder, name))
}

/** The newest checkpoint of a folder that is whole.
 *
 * @param onDamaged - called for each one that is not
 * @returns nothing when there is none at all
 * @throws {CheckpointError} when there are some and all are damaged
 */
export async function readLatestCheckpoint(
  folder: string,
  onDamaged?: (error: CheckpointError) => void,
): Promise<{ checkpoint: Checkpoint; path: string } | undefined> {
  const paths = await listCheckpoints(folder)
  const errors: CheckpointError[] = []
  for (const path of paths) {
    try {
      return { checkpoint: await readCheckpoint(path), path }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      errors.push(error)
      onDamaged?.(error)
    }
  }
  if (errors.length === 0) return undefined
  throw new CheckpointError(
    `runTraining: none of the ${errors.length} checkpoints in ${folder} can be read; the newest: ${errors[0].message}`,
    { cause: errors[0] },
  )
}

async function checkpointNames(folder: string): Promise<string[]> {
  const { readdir } = await import('node:fs/promises')
  const entries = await readdir(folder).catch((error: { code?: string; message: string }) => {
    if (error.code === 'ENOENT') return [] as string[]
    throw new CheckpointError(`runTraining: folder ${folder} cannot be read: ${error.message}`, {
      cause: error,
    })
  })
  return entries.filter((name) => NAME.test(name)).sort((a, b) => (a < b ? 1 : -1))
}

/** Of all that a checkpoint says. */
export function checksumOf(metadata: Record<string, string>, tensors: Map<string, SafetensorsEntry>): number {
  const text = new TextEncoder()
  let value = crc32c(
    text.encode(JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)))),
  )
  for (const [name, { shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    value = crc32c(text.encode(`${name}[${shape.join()}]`), value)
    value = crc32c(bytesOf(data), value)
  }
  return value
}

const bytesOf = ({ buffer, byteOffset, byteLength }: SafetensorsData) =>
  new Uint8Array(buffer, byteOffset, byteLength)
