import { showValue, ValueError, writeFileAtomic } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import { isLabelFile, PICTURE } from '../samples/find-samples.js'
import { listFiles } from '../samples/list-files.js'

/** What decides which labels come out; a run that goes on must have the same. */
export interface LabelSettings {
  layout: 'shards' | 'beside'
  prefix: string
  picturesPerShard: number
  quality: number
  maxPixels: number
  identities: boolean
  /** Says what labels the pictures, with its settings. */
  annotator: string
}

/** Which picture goes where: fixed before the first is labelled, so that the result does not depend on how the work went. */
export interface LabelPlan {
  settings: LabelSettings
  /** The pictures of each shard, paths below the folder. */
  shards: string[][]
}

const FORMAT = 'facekit-label-plan'

/** Where a contact sheet of labels may be without being taken for pictures. */
export const sheetFolder = (out: string): string => `${out}/label-sheet`

/** The pictures below a folder, in linked folders too, in the order of their paths; nothing hidden, no labels. Node only.
 *
 * @param out - a folder of results, which is passed over, as is its contact sheet
 * @returns paths below the folder, with `/`
 * @throws {ValueError} when it is no folder that can be read
 */
export async function listPictures(folder: string, out?: string): Promise<string[]> {
  const { relative, resolve } = await import(/* webpackIgnore: true */ 'node:path')
  // What was written before is no picture to label.
  const own = new Set(out === undefined ? [] : [resolve(out), resolve(sheetFolder(out))])
  const isHidden = (path: string) => path.slice(path.lastIndexOf('/') + 1).startsWith('.')
  try {
    const files = await listFiles(folder, (path) => !isHidden(path) && !own.has(resolve(folder, path)))
    return files.filter((path) => !isHidden(path) && PICTURE.test(path) && !isLabelFile(path)).sort()
  } catch (cause) {
    const at = relative('', (cause as NodeJS.ErrnoException).path ?? folder) || folder
    throw new ValueError(
      `listPictures: ${at} cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)}), expected a folder of pictures`,
      { cause },
    )
  }
}

/** The plan of an earlier run, with pictures that are new in further shards; or a new plan. Node only.
 *
 * @param path - where the plan is kept
 * @param pictures - what is to be labelled, sorted
 * @throws {DatasetError} when the earlier run had other settings, or its plan is damaged
 */
export async function openPlan(
  path: string,
  settings: LabelSettings,
  pictures: readonly string[],
): Promise<LabelPlan> {
  const earlier = await readPlan(path)
  if (earlier) checkSettings(path, earlier.settings, settings)
  const plan: LabelPlan = { settings, shards: earlier?.shards ?? [] }
  const known = new Set(plan.shards.flat())
  const added = pictures.filter((picture) => !known.has(picture))
  for (let i = 0; i < added.length; i += settings.picturesPerShard) {
    plan.shards.push(added.slice(i, i + settings.picturesPerShard))
  }
  if (added.length > 0 || !earlier) {
    await writeFileAtomic(path, `${JSON.stringify({ format: FORMAT, version: 1, ...plan })}\n`)
  }
  return plan
}

async function readPlan(path: string): Promise<LabelPlan | undefined> {
  const { readFile } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  let plan: (LabelPlan & { format?: unknown; version?: unknown }) | undefined
  try {
    plan = JSON.parse(text) as typeof plan
  } catch {
    // reported below
  }
  if (plan?.format !== FORMAT || plan.version !== 1 || !isPlan(plan)) {
    throw new DatasetError(`${path}: is damaged or of another version; begin anew in another folder`)
  }
  return plan
}

const isPlan = ({ settings, shards }: { settings?: unknown; shards?: unknown }) =>
  typeof settings === 'object' &&
  settings !== null &&
  Array.isArray(shards) &&
  shards.every((pictures) => Array.isArray(pictures) && pictures.every(isPicturePath))

/** Whether a picture's path stays below the folder: labels go to the same path below another folder. */
const isPicturePath = (path: unknown): path is string =>
  typeof path === 'string' &&
  // A drive, or the start of the file system; a zero ends a name for the system.
  !/^[a-z]:|^[\\/]|\0/i.test(path) &&
  path.split(/[\\/]/).every((part) => part !== '' && part !== '.' && part !== '..')

/** @throws {ValueError} when a path is not one below a folder */
export function checkPicturePath(who: string, path: unknown): void {
  if (isPicturePath(path)) return
  throw new ValueError(
    `${who}: ${showValue(path)} is no path below the folder; leave it out, or label the folder that holds it`,
  )
}

function checkSettings(path: string, before: LabelSettings, now: LabelSettings): void {
  for (const name of Object.keys(now) as (keyof LabelSettings)[]) {
    if (before[name] === now[name]) continue
    throw new DatasetError(
      `${path}: the labels were begun with ${name} ${showValue(before[name])}, now it is ${showValue(now[name])}; go on with the same, or begin anew`,
    )
  }
}
