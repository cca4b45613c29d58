import { FacekitError, lockFile, type FileLock, writeFileAtomic } from '@facekit/core'
import type { CaseResult } from '@facekit/evaluation'
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileSystemReason } from '../error-line.js'
import type { EvaluateSettings } from './evaluate-settings.js'

/** Held while a process works in the folder. */
const LOCK = '.evaluate.lock'
/** Files and folders that an evaluation writes. */
const OWN = /^(evaluation\.json|cases|maps|figures|report\.json|tables\.(md|csv)|index\.html|curve-\d+\.svg)$/

/** A name of a face or a method as one of a file, each name another one: `/` is `+`, and what is neither letter, digit, `_`, `.`, `-` nor a space is its
 * code between tildes. */
export const fileNameOf = (name: string): string =>
  name.replaceAll(/[^\w. -]/gu, (letter) =>
    letter === '/' ? '+' : `~${letter.codePointAt(0)!.toString(16)}~`,
  )

const casePath = (out: string, id: string) => join(out, 'cases', `${fileNameOf(id)}.json`)

/** Sees that the folder is empty or holds an evaluation by the same settings, and keeps other processes out of it.
 *
 * @param force - discard the results that are there
 * @returns the lock, to be released when all is written
 * @throws {FacekitError} when the folder holds something else, cannot be written, or another process evaluates into it
 */
export async function openResults(settings: EvaluateSettings, force: boolean): Promise<FileLock> {
  const { out } = settings
  const unwritable = (cause: unknown): never => {
    if (cause instanceof FacekitError) throw cause
    throw new FacekitError(`${out} cannot be written: ${fileSystemReason(cause)}`, { cause })
  }
  const made = await mkdir(out, { recursive: true }).catch(unwritable)
  const lock = await lockFile(join(out, LOCK), 'evaluates into this folder').catch(unwritable)
  try {
    await prepare(settings, force)
    return lock
  } catch (error) {
    await lock.release()
    if (made !== undefined) await rmdir(out).catch(() => {})
    return unwritable(error)
  }
}

async function prepare(settings: EvaluateSettings, force: boolean): Promise<void> {
  const { out, methods, maps: _, backend: __, ...rest } = settings
  const folders = Object.fromEntries(methods.flatMap(({ name, folder }) => (folder ? [[name, folder]] : [])))
  const own = JSON.stringify({ ...rest, out: undefined })
  if (force) await discard(out)
  const before = await readSettings(join(out, 'evaluation.json'))
  const moved = Object.entries(folders).some(([name, folder]) => (before?.folders[name] ?? folder) !== folder)
  if (before && (before.settings !== own || moved))
    throw new FacekitError(
      `${out} holds an evaluation by other settings; use another --out, or --force to discard it`,
    )
  if (!before && (await entriesOf(out)).length > 0)
    throw new FacekitError(`${out} is not empty and holds no evaluation; use another --out`)
  const all = { ...before?.folders, ...folders }
  await writeFileAtomic(
    join(out, 'evaluation.json'),
    `${JSON.stringify({ settings: own, folders: all }, null, 1)}\n`,
  )
  await mkdir(join(out, 'cases'), { recursive: true })
}

/** All but the lock, and what processes that were killed have left of it. */
const entriesOf = async (out: string) => (await readdir(out)).filter((name) => !name.startsWith(LOCK))

async function discard(out: string): Promise<void> {
  const entries = await entriesOf(out)
  const foreign = entries.find((entry) => !OWN.test(entry))
  if (foreign !== undefined)
    throw new FacekitError(
      `${out} holds what facekit evaluate did not write (${foreign}) and is not replaced; use another --out`,
    )
  // The settings last: a run that is ended here leaves what can be discarded again.
  const last = (name: string) => (name === 'evaluation.json' ? 1 : 0)
  for (const entry of entries.toSorted((a, b) => last(a) - last(b)))
    await rm(join(out, entry), { recursive: true, force: true })
}

async function readSettings(
  path: string,
): Promise<{ settings: string; folders: Record<string, unknown> } | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  let value: { settings?: unknown; folders?: unknown } = {}
  try {
    value = (JSON.parse(text) ?? {}) as typeof value
  } catch {
    // Said below.
  }
  const { settings, folders } = value
  if (typeof settings !== 'string' || typeof folders !== 'object' || folders === null)
    throw new FacekitError(`${path} is damaged; use another --out, or --force to discard the evaluation`)
  return { settings, folders: folders as Record<string, unknown> }
}

/** Results of a face that are kept; files are written whole, and what is damaged is scored again. */
export async function readCase(out: string, id: string): Promise<CaseResult[]> {
  try {
    const list: unknown = JSON.parse(await readFile(casePath(out, id), 'utf8'))
    return Array.isArray(list) ? list.filter((result): result is CaseResult => isResultOf(id, result)) : []
  } catch {
    return []
  }
}

/** Whether a value is a result of a face: a number that is none would be in every table. */
function isResultOf(id: string, value: unknown): value is CaseResult {
  if (typeof value !== 'object' || value === null) return false
  const result = value as Partial<Record<keyof CaseResult, unknown>>
  const { scores, quantiles, problems } = result
  const areNumbers = (values: unknown[]) => values.every((each) => Number.isFinite(each))
  return (
    result.id === id &&
    typeof result.group === 'string' &&
    typeof result.method === 'string' &&
    Array.isArray(problems) &&
    problems.every((problem) => typeof problem === 'string') &&
    (scores === undefined ||
      (typeof scores === 'object' && scores !== null && areNumbers(Object.values(scores)))) &&
    (quantiles === undefined || (Array.isArray(quantiles) && areNumbers([...quantiles, result.points])))
  )
}

/** Keeps results of a face. */
export async function writeCase(out: string, id: string, results: readonly CaseResult[]): Promise<void> {
  await writeFileAtomic(casePath(out, id), `${JSON.stringify(results)}\n`)
}

/** Makes a folder below the results, and not those above it: where they were removed, nothing is left behind. */
export async function makeInside(folder: string): Promise<void> {
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}
