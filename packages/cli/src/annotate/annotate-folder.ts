import { ValueError, writeFileAtomic } from '@facekit/core'
import {
  labelFolder,
  openDataset,
  removeLabels,
  writeContactSheet,
  type LabelFolderOptions,
  type LabelProgress,
  type LabelReport,
} from '@facekit/dataset'
import type { BackendName } from '@facekit/engine'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { createAnnotator, type AnnotateSettings } from './annotate-pictures.js'
import { shareOf } from './annotate-rank.js'
import type { CliIo } from '../cli-io.js'
import { createProgress } from '../progress.js'
import { version } from '../version.js'

/** What the command line says. */
export interface AnnotateFlags {
  out?: string
  layout: 'shards' | 'beside'
  list?: string
  workers?: number
  rank?: number
  ranks?: number
  size: number
  minScore: number
  maxFaces?: number
  perShard: number
  quality: number
  detector?: AnnotateSettings['detector']
  segmenter?: AnnotateSettings['segmenter']
  backend: BackendName
  sheet: boolean
  force: boolean
  json?: boolean
}

/** Runs `facekit annotate`.
 *
 * @returns the exit code: 1 when photographs could not be read or labelled
 * @throws {FacekitError} when it cannot begin
 * @throws the signal's reason when it is aborted; what was done is kept
 */
export async function annotateFolder(source: string, flags: AnnotateFlags, io: CliIo): Promise<number> {
  const { folder, pictures } = await picturesOf(source, flags.list)
  const out = flags.out ?? (flags.layout === 'beside' ? folder : 'annotations')
  const share = shareOf(flags, io.env)
  if (flags.force && share.ranks > 1) {
    throw new ValueError(
      '--force: would remove what other shares have made; remove the labels before they start',
    )
  }
  if (flags.force) await removeLabels(out, { layout: flags.layout })
  const progress = await createProgress(io, flags.json === true)
  const write = (event: object) => void io.stdout.write(`${JSON.stringify(event)}\n`)
  let last: LabelProgress | undefined
  const part = share.ranks > 1 ? `share ${share.rank} of ${share.ranks}: ` : ''
  try {
    const report = await labelFolder(folder, out, {
      ...(await labelOptions(flags)),
      ...share,
      ...(pictures && { pictures }),
      signal: io.signal,
      onProgress: (now) => {
        if (!last) progress.start(`${source}: ${part}labelling`)
        last = now
        progress.update(now.done, now.total)
        if (flags.json) write({ event: now.picture === undefined ? 'start' : 'picture', ...now })
      },
    })
    if (report.whole && report.whole.faces > 0 && flags.sheet) {
      progress.start(`${source}: drawing the sheet`)
      await writeContactSheet(await openDataset(out), `${out}/label-sheet`, {
        title: source,
        skipped: report.whole.skipped,
        signal: io.signal,
        onProgress: (done, total) => progress.update(done, total),
      })
    }
    return await finish(report, { source, out, flags, io, write, stop: progress.stop })
  } catch (error) {
    progress.stop()
    if (io.signal.aborted && last) {
      io.stderr.write(
        `facekit: ${last.done} of ${last.total} photographs are labelled; the same command goes on\n`,
      )
    }
    throw error
  } finally {
    progress.stop()
  }
}

async function picturesOf(source: string, list?: string): Promise<{ folder: string; pictures?: string[] }> {
  const info = await stat(source).catch((cause: NodeJS.ErrnoException) => {
    throw new ValueError(`${source}: cannot be read (${cause.code}), expected a photograph or a folder`, {
      cause,
    })
  })
  if (!info.isDirectory()) return { folder: dirname(source), pictures: [basename(source)] }
  if (list === undefined) return { folder: source }
  const text = await readFile(list, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ValueError(`--list: ${list} cannot be read (${cause.code})`, { cause })
  })
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return {
    folder: source,
    pictures: [...new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))],
  }
}

async function labelOptions(flags: AnnotateFlags): Promise<LabelFolderOptions> {
  const { backend, size, minScore, maxFaces, detector, segmenter } = flags
  const { layout, perShard, quality, workers } = flags
  const settings: AnnotateSettings = {
    backend,
    size,
    minScore,
    ...(maxFaces !== undefined && { maxFaces }),
    ...(detector && { detector }),
    ...(segmenter && { segmenter }),
  }
  const common = {
    layout,
    quality,
    picturesPerShard: perShard,
    annotator: `facekit ${version} ${JSON.stringify(settings)}`,
  }
  // A GPU is one, and a TensorFlow has threads of its own; several processes only when they are asked for.
  const alone = backend !== 'wasm' && backend !== 'cpu' && workers === undefined
  if (alone) return { ...common, annotate: await createAnnotator(settings) }
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new URL(`./annotate-worker.${ending}`, import.meta.url)
  return { ...common, worker, workerOptions: settings, ...(workers !== undefined && { workers }) }
}

interface Ending {
  source: string
  out: string
  flags: AnnotateFlags
  io: CliIo
  write: (event: object) => void
  stop: () => void
}

async function finish(report: LabelReport, { source, out, flags, io, write, stop }: Ending): Promise<number> {
  const { whole, pictures, before } = report
  if (!whole) {
    stop()
    if (flags.json) write({ event: 'end', pictures, before, complete: false })
    else
      io.stdout.write(
        `${source}: this share's ${pictures} photographs are labelled: ${out}; other shares are not done\n`,
      )
    return 0
  }
  const bad = whole.skipped.filter(({ empty }) => !empty)
  const empty = whole.skipped.filter((entry) => entry.empty)
  await writeFileAtomic(
    `${out}/report.json`,
    `${JSON.stringify({ pictures: whole.pictures, faces: whole.faces, bad, empty }, null, 1)}\n`,
  )
  stop()
  if (flags.json) {
    write({ event: 'end', pictures, before, complete: true, faces: whole.faces, bad, empty: empty.length })
  } else {
    for (const { picture, reason } of bad) io.stderr.write(`facekit: ${picture}: ${reason}\n`)
    const less = [
      ...(empty.length > 0 ? [`${empty.length} without a face`] : []),
      ...(bad.length > 0 ? [`${bad.length} bad`] : []),
    ]
    io.stdout.write(
      `${source}: ${whole.faces} faces in ${whole.pictures} photographs${less.length > 0 ? ` (${less.join(', ')})` : ''}: ${out}\n`,
    )
  }
  return bad.length > 0 ? 1 : 0
}
