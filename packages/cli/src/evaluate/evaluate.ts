import { ValueError, writeFileAtomic } from '@facekit/core'
import {
  type CaseResult,
  comparableFaces,
  curvesSvg,
  errorCurves,
  type EvaluationDataset,
  evaluationHtml,
  evaluationMarkdown,
  type EvaluationResults,
  openEvaluationDataset,
  type PagePicture,
  type ScoreTable,
  scoreTables,
  tablesCsv,
} from '@facekit/evaluation'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createEvaluator } from './create-evaluator.js'
import type { EvaluateSettings } from './evaluate-settings.js'
import { evaluateInProcesses, type EvaluationTask } from './evaluation-pool.js'
import { openResults, readCase, writeCase } from './evaluation-folder.js'
import { checkThere, SHIPPED_MODELS } from '../load-model.js'

/** How an evaluation runs. */
export interface EvaluateOptions {
  /** Processes; 1: this one. */
  workers: number
  /** Discard the results that are there. */
  force: boolean
  onProgress(done: number, total: number): void
  signal: AbortSignal
}

/** Scores methods on a data set. Each face is written when it is done, and is not scored again by the same settings; tables, curves and the page are written at
 * the end, from all faces. One process at a time works in the folder.
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
  const folder = await openResults(settings, options.force)
  try {
    const results = await score(settings, options, dataset)
    const evaluation: EvaluationResults = {
      dataset: name,
      groups: dataset.groups.filter((group) => dataset.cases.some((each) => each.group === group)),
      methods: methods.map((method) => method.name),
      cases: dataset.cases.length,
      results: results.filter(({ method }) => methods.some((each) => each.name === method)),
      problems: dataset.problems,
    }
    await writeReport(out, evaluation)
    return evaluation
  } finally {
    await folder.release()
  }
}

/** Scores what is not scored yet; gives all results in the order of the data set. */
async function score(
  settings: EvaluateSettings,
  options: EvaluateOptions,
  { cases }: EvaluationDataset,
): Promise<CaseResult[]> {
  const { out, methods } = settings
  const done = new Map<string, CaseResult[]>()
  const tasks: EvaluationTask[] = []
  for (const { id, group } of cases) {
    const known = await readCase(out, id)
    done.set(id, known)
    const missing = methods.filter((method) => !known.some((result) => result.method === method.name))
    if (missing.length > 0) tasks.push({ id, group, methods: missing })
  }
  let finished = cases.length - tasks.length
  options.onProgress(finished, cases.length)
  const keep = async (results: CaseResult[], isFinal: boolean) => {
    const { id } = results[0]
    const all = [...done.get(id)!, ...results]
    done.set(id, all)
    if (isFinal) await writeCase(out, id, all)
    options.onProgress(++finished, cases.length)
  }
  if (tasks.length > 0) await run(settings, tasks, options, keep)
  return [...done.values()].flat()
}

async function run(
  settings: EvaluateSettings,
  tasks: readonly EvaluationTask[],
  { workers, signal }: EvaluateOptions,
  keep: (results: CaseResult[], isFinal: boolean) => Promise<void>,
): Promise<void> {
  if (workers > 1) {
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const script = new URL(`./evaluate-worker.${ending}`, import.meta.url)
    return evaluateInProcesses(script, settings, tasks, workers, keep, signal)
  }
  const evaluator = await createEvaluator(settings, signal)
  for (const { id, methods } of tasks) {
    signal.throwIfAborted()
    await keep(await evaluator.evaluate(id, methods), true)
  }
}

/** What `report.json` holds: results and tables, and those over the faces that all methods have in common, where they scored different ones. */
export function reportOf(
  evaluation: EvaluationResults,
): EvaluationResults & { tables: ScoreTable[]; comparableTables?: ScoreTable[] } {
  const comparable = comparableFaces(evaluation)
  return {
    ...evaluation,
    tables: scoreTables(evaluation),
    ...(comparable && { comparableTables: scoreTables(comparable) }),
  }
}

async function writeReport(out: string, evaluation: EvaluationResults): Promise<void> {
  const report = reportOf(evaluation)
  await writeFileAtomic(join(out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`)
  await writeFileAtomic(join(out, 'tables.md'), evaluationMarkdown(evaluation))
  await writeFileAtomic(join(out, 'tables.csv'), tablesCsv(report.tables))
  for (const [i, curves] of errorCurves(evaluation).entries())
    await writeFileAtomic(join(out, `curve-${i + 1}.svg`), curvesSvg(curves))
  const pictures: PagePicture[] = []
  for (const folder of ['figures', 'maps'])
    for (const file of (await readdir(join(out, folder)).catch(() => [])).sort())
      if (file.endsWith('.png')) pictures.push({ path: `${folder}/${file}`, caption: file.slice(0, -4) })
  await writeFileAtomic(join(out, 'index.html'), evaluationHtml(evaluation, pictures))
}
