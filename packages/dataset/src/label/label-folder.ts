import { assertInteger, lockFile, showValue, ValueError } from '@facekit/core'
import { DatasetError } from '../dataset-error.js'
import { besideJournal, shardJournal } from './label-journal.js'
import type { Annotator } from './label-picture.js'
import { checkPicturePath, listPictures, openPlan, type LabelSettings } from './label-plan.js'
import { ownThread, startPool, type LabelPool } from './label-pool.js'
import { labelTasks, openTasks } from './label-tasks.js'
import type { SkippedPicture } from '../samples/shard-index.js'

/** Options of `labelFolder`. */
export interface LabelFolderOptions {
  /** Labels in this thread, on the backend that runs. Either this or `worker`. */
  annotate?: Annotator
  /** A script that calls `runLabelWorker`, run in `workers` processes. */
  worker?: URL | string
  /** Goes to the workers. Plain data. */
  workerOptions?: unknown
  /** How many processes. Default: one for each core. */
  workers?: number
  /** Seconds that one picture may take in a worker. Default 300. */
  timeLimit?: number
  /** Names what labels, with its settings: a run that goes on with another is refused. Default `'annotate'`. */
  annotator?: string
  /** Only these pictures: paths below the folder, with `/`. Default: all in it. */
  pictures?: readonly string[]
  /** Tar shards, or files beside (a copy of the folders of) the pictures. Default `'shards'`. */
  layout?: 'shards' | 'beside'
  /** Names of shards begin with it. Default `'faces'`. */
  prefix?: string
  /** Default 256. */
  picturesPerShard?: number
  /** Of the JPEG crops, 1..100. Default 85. */
  quality?: number
  /** Largest picture that is decoded, in pixels. Default 2^28, 268 million. */
  maxPixels?: number
  /** Whether the first folder below `folder` says whose face a picture shows. Default true. */
  identities?: boolean
  /** One's number among `ranks` processes or machines that share the work and the folder `out`, from 0. Default 0. */
  rank?: number
  /** Default 1. */
  ranks?: number
  /** Ends the work, and keeps what is done. */
  signal?: AbortSignal
  /** Called for each picture that is done. */
  onProgress?: (progress: LabelProgress) => void
}

/** How far `labelFolder` is. */
export interface LabelProgress {
  /** Pictures of this share that are done, those of earlier runs too. */
  done: number
  total: number
  /** The picture that is done now; nothing at the start. */
  picture?: string
  faces?: number
  /** Why it has none. */
  reason?: string
  empty?: boolean
}

/** What `labelFolder` did. */
export interface LabelReport {
  /** Pictures of this share. */
  pictures: number
  /** Of them, how many earlier runs had labelled. */
  before: number
  /** When all shares are done: all faces, and all pictures without one. */
  whole?: { pictures: number; faces: number; skipped: SkippedPicture[]; shards: string[] }
}

/** Labels every face of every picture in a folder, in parallel, into tar shards or beside the pictures. Node only.
 *
 * If it was interrupted, call it again to resume: no picture is labelled twice, none is lost, and the result has the same bytes as that of an
 * uninterrupted run, whatever the number of workers. Pictures that are new since then go into further
 * shards. A picture that cannot be read or labelled is listed and skipped; where the backend fails (its memory is full, its device lost), the work ends: no
 * picture is at fault.
 *
 * @param folder - pictures, in folders by person if they are known
 * @param out - where labels go, made if it is not there; for `'beside'` may be `folder` itself
 * @throws {ValueError} when an option is out of range, a path leads out of the folder, or there are no pictures
 * @throws {DatasetError} when `out` was begun with other settings, or was removed meanwhile
 * @throws {LockError} when another process works on this share
 * @throws {BackendError} when what computes failed; what is labelled is kept
 * @throws {FacekitError} when a worker cannot start
 * @throws the signal's reason when it is aborted
 * @example
 * const { whole } = await labelFolder('photos', 'faces', { annotate: (picture) => annotate(picture) })
 * console.log(whole.faces, whole.skipped)
 */
export async function labelFolder(
  folder: string,
  out: string,
  options: LabelFolderOptions,
): Promise<LabelReport> {
  const { rank = 0, ranks = 1, layout = 'shards', signal } = options
  const settings = checkedSettings(options)
  assertInteger('labelFolder: ranks', ranks, 1)
  assertInteger('labelFolder: rank', rank, 0, ranks - 1)
  const pictures = options.pictures ? [...options.pictures].sort() : await listPictures(folder, out)
  for (const picture of options.pictures ?? []) checkPicturePath('labelFolder: pictures', picture)
  if (pictures.length === 0) {
    throw new ValueError(
      `labelFolder: ${folder} holds no pictures, expected JPEG, PNG, WebP, AVIF, HEIC, GIF or TIFF files`,
    )
  }
  const { mkdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const work = workFolder(out)
  await mkdir(work, { recursive: true })
  const lock = await lockFile(`${work}/${lockName(rank, ranks)}`, 'labels this share')
  let pool: LabelPool | undefined
  try {
    const plan = await openPlan(`${work}/plan.json`, settings, pictures)
    const journal = (layout === 'shards' ? shardJournal : besideJournal)({ plan, out, work })
    const share = plan.shards.map((_, shard) => shard).filter((shard) => shard % ranks === rank)
    const tasks = await openTasks(journal, share)
    signal?.throwIfAborted()
    const total = share.reduce((sum, shard) => sum + plan.shards[shard].length, 0)
    const before = total - tasks.length
    options.onProgress?.({ done: before, total })
    if (tasks.length > 0) {
      pool = await openPool(options, tasks.length)
      let done = before
      await labelTasks({ folder, plan, journal, tasks, pool, signal }, (picture, labels) => {
        const { samples, ...why } = labels
        options.onProgress?.({ done: ++done, total, picture, faces: samples.length, ...why })
      })
    }
    if (!(await lock.isHeld())) {
      throw new DatasetError(
        `labelFolder: ${out} was removed or replaced while it was written; run the same again`,
      )
    }
    const summary = await journal.summary()
    return {
      pictures: total,
      before,
      ...(summary && {
        whole: {
          pictures: plan.shards.flat().length,
          faces: summary.faces,
          skipped: summary.skipped,
          shards: summary.paths,
        },
      }),
    }
  } finally {
    pool?.close()
    await lock.release()
  }
}

/** Where `labelFolder` keeps what is not final. */
export const workFolder = (out: string): string => `${out}/.facekit-labels`

const LOCK = /^lock-\d+-of-\d+$/
const lockName = (rank: number, ranks: number) => `lock-${rank}-of-${ranks}`

/** Sees that no process works on any share, before labels are removed. Node only.
 *
 * @throws {LockError} when one does
 */
export async function assertNobodyLabels(out: string): Promise<void> {
  const { readdir } = await import(/* webpackIgnore: true */ 'node:fs/promises')
  const names = await readdir(workFolder(out)).catch((): string[] => [])
  for (const name of names.filter((entry) => LOCK.test(entry))) {
    const lock = await lockFile(`${workFolder(out)}/${name}`, 'labels a share of it')
    await lock.release()
  }
}

function checkedSettings(options: LabelFolderOptions): LabelSettings {
  const {
    layout = 'shards',
    prefix = 'faces',
    picturesPerShard = 256,
    quality = 85,
    maxPixels = 2 ** 28,
    identities = true,
    annotator = 'annotate',
    annotate,
    worker,
  } = options
  if (layout !== 'shards' && layout !== 'beside') {
    throw new ValueError(`labelFolder: layout is ${showValue(layout)}, expected "shards" or "beside"`)
  }
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(prefix)) {
    throw new ValueError(`labelFolder: prefix is ${showValue(prefix)}, expected letters, digits, "_" or "-"`)
  }
  if ((annotate === undefined) === (worker === undefined)) {
    throw new ValueError('labelFolder: expected one of the options annotate and worker')
  }
  assertInteger('labelFolder: picturesPerShard', picturesPerShard, 1, 100_000)
  assertInteger('labelFolder: quality', quality, 1, 100)
  assertInteger('labelFolder: maxPixels', maxPixels, 1)
  return { layout, prefix, picturesPerShard, quality, maxPixels, identities, annotator }
}

async function openPool(options: LabelFolderOptions, tasks: number): Promise<LabelPool> {
  const { annotate, worker, workerOptions, workers, timeLimit = 300 } = options
  if (annotate) return ownThread(annotate)
  const { availableParallelism } = await import(/* webpackIgnore: true */ 'node:os')
  const count = workers ?? availableParallelism()
  assertInteger('labelFolder: workers', count, 1, 1024)
  return startPool({ script: worker!, options: workerOptions, size: Math.min(count, tasks), timeLimit })
}
