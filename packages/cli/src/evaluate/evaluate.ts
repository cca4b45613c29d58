import { FacekitError, ValueError, writeFileAtomic } from '@facekit/core'
import {
  type CaseResult,
  curvesSvg,
  errorCurves,
  evaluationHtml,
  evaluationMarkdown,
  type EvaluationResults,
  openEvaluationDataset,
  type PagePicture,
  scoreTables,
  tablesCsv,
} from '@facekit/evaluation'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createEvaluator, fileNameOf } from './create-evaluator.js'
import type { EvaluateSettings } from './evaluate-settings.js'
import { evaluateInProcesses, type EvaluationTask } from './evaluation-pool.js'
import { checkThere } from '../load-model.js'
import { SHIPPED_MODELS } from '../load-model.js'

/** How an evaluation runs. */
export interface EvaluateOptions {
  /** Processes; 1: this one. */
  workers: number
  /** Discard the results that are there. */
  force: boolean
  onProgress(done: number, total: number): void
  signal: AbortSignal
}

/** Files and folders that an evaluation writes. */
const OWN = [
  'evaluation.json',
  'cases',
  'maps',
  'figures',
  'report.json',
  'tables.md',
  'tables.csv',
  'index.html',
]

/** Scores methods on a data set. Each face is written when it is done, and is not scored again by the same settings; tables, curves and the page are written at
 * the end, from all faces.
 *
 * @throws {FacekitError} when it cannot begin, or the folder holds another evaluation
 * @throws the signal's reason when it is aborted; what was done is kept
 */
export async function evaluate(
  settings: EvaluateSettings,
  options: EvaluateOptions,
): Promise<EvaluationResults> {
  const { dataset: name, root, datasetOptions, out, methods } = settings
  if (!SHIPPED_MODELS.has(settings.model)) await checkThere(settings.model)
  for (const { folder } of methods) {
    if (folder !== undefined && !(await stat(folder).catch(() => undefined))?.isDirectory())
      throw new ValueError(`--method: ${folder} is neither a method nor a folder of meshes`)
  }
  const dataset = await openEvaluationDataset(name, root, datasetOptions)
  if (dataset.cases.length === 0)
    throw new ValueError(`${root}: no face of it can be scored: ${dataset.problems[0] ?? 'it is empty'}`)
  await openResults(settings, options.force)
  const done = new Map<string, CaseResult[]>()
  const tasks: EvaluationTask[] = []
  for (const { id, group } of dataset.cases) {
    const known = await readCase(out, id)
    done.set(id, known)
    const missing = methods.filter((method) => !known.some((result) => result.method === method.name))
    if (missing.length > 0) tasks.push({ id, group, methods: missing })
  }
  let finished = dataset.cases.length - tasks.length
  options.onProgress(finished, dataset.cases.length)
  const keep = async (results: CaseResult[]) => {
    const { id } = results[0]
    const all = [...done.get(id)!, ...results]
    done.set(id, all)
    await writeFileAtomic(casePath(out, id), `${JSON.stringify(all)}\n`)
    options.onProgress(++finished, dataset.cases.length)
  }
  if (tasks.length > 0) await run(settings, tasks, options, keep)
  const evaluation: EvaluationResults = {
    dataset: name,
    groups: dataset.groups.filter((group) => dataset.cases.some((each) => each.group === group)),
    methods: methods.map((method) => method.name),
    cases: dataset.cases.length,
    results: [...done.values()].flat().filter(({ method }) => methods.some((each) => each.name === method)),
    problems: dataset.problems,
  }
  await writeReport(out, evaluation)
  return evaluation
}

async function run(
  settings: EvaluateSettings,
  tasks: readonly EvaluationTask[],
  { workers, signal }: EvaluateOptions,
  keep: (results: CaseResult[]) => Promise<void>,
): Promise<void> {
  if (workers > 1) {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const script = new URL(`./evaluate-worker.${ending}`, import.meta.url)
    return evaluateInProcesses(script, settings, tasks, workers, keep, signal)
  }
  const evaluator = await createEvaluator(settings, signal)
  for (const { id, methods } of tasks) {
    signal.throwIfAborted()
    await keep(await evaluator.evaluate(id, methods))
  }
}

const casePath = (out: string, id: string) => join(out, 'cases', `${fileNameOf(id)}.json`)

async function readCase(out: string, id: string): Promise<CaseResult[]> {
  const text = await readFile(casePath(out, id), 'utf8').catch(() => undefined)
  if (text === undefined) return []
  try {
    return (JSON.parse(text) as CaseResult[]).filter((result) => result.id === id)
  } catch {
    // Files are written whole; what is damaged is scored again.
    return []
  }
}

/** Sees that the folder is empty or holds an evaluation by the same settings. */
async function openResults(settings: EvaluateSettings, force: boolean): Promise<void> {
  const { out, methods, maps: _, backend: __, ...rest } = settings
  const folders = Object.fromEntries(methods.flatMap(({ name, folder }) => (folder ? [[name, folder]] : [])))
  const own = JSON.stringify({ ...rest, out: undefined })
  const path = join(out, 'evaluation.json')
  if (force) {
    const foreign = (await readdir(out).catch(() => [])).find(
      (entry) => !OWN.includes(entry) && !/^curve-\d+\.svg$/.test(entry),
    )
    if (foreign !== undefined)
      throw new FacekitError(
        `${out} holds what facekit evaluate did not write (${foreign}) and is not replaced; use another --out`,
      )
    await rm(out, { recursive: true, force: true })
  }
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const before =
    text === undefined
      ? undefined
      : (JSON.parse(text) as { settings: string; folders: Record<string, string> })
  const moved = Object.entries(folders).some(([name, folder]) => (before?.folders[name] ?? folder) !== folder)
  if (before && (before.settings !== own || moved))
    throw new FacekitError(
      `${out} holds an evaluation by other settings; use another --out, or --force to discard it`,
    )
  if (!before && (await readdir(out).catch(() => [])).length > 0)
    throw new FacekitError(`${out} is not empty and holds no evaluation; use another --out`)
  await mkdir(join(out, 'cases'), { recursive: true })
  const all = { ...before?.folders, ...folders }
  await writeFileAtomic(path, `${JSON.stringify({ settings: own, folders: all }, null, 1)}\n`)
}

async function writeReport(out: string, evaluation: EvaluationResults): Promise<void> {
  const tables = scoreTables(evaluation)
  await writeFileAtomic(join(out, 'report.json'), `${JSON.stringify({ ...evaluation, tables }, null, 1)}\n`)
  await writeFileAtomic(join(out, 'tables.md'), evaluationMarkdown(evaluation))
  await writeFileAtomic(join(out, 'tables.csv'), tablesCsv(tables))
  for (const [i, curves] of errorCurves(evaluation).entries())
    await writeFileAtomic(join(out, `curve-${i + 1}.svg`), curvesSvg(curves))
  const pictures: PagePicture[] = []
  for (const folder of ['figures', 'maps'])
    for (const file of (await readdir(join(out, folder)).catch(() => [])).sort())
      if (file.endsWith('.png')) pictures.push({ path: `${folder}/${file}`, caption: file.slice(0, -4) })
  await writeFileAtomic(join(out, 'index.html'), evaluationHtml(evaluation, pictures))
}
