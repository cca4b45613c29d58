import { FacekitError, writeFileAtomic } from '@facekit/core'
import {
  type EvaluationResults,
  evaluationMarkdown,
  openEvaluationDataset,
  scoreTables,
  tablesCsv,
} from '@facekit/evaluation'
import type { BackendName } from '@facekit/engine'
import type { PaperLossName } from '@facekit/losses'
import type { TrainingProgress } from '@facekit/trainer'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliIo } from '../cli-io.js'
import { errorLine } from '../error-line.js'
import { evaluate } from '../evaluate/evaluate.js'
import { runTrain } from '../train/train-run.js'
import type { AblateConfig } from './ablate-config.js'

/** One training of the table. */
export interface AblationRun {
  /** `all losses`, `without identity`, ... */
  name: string
  iterations: number
  seconds: number
  /** Of held-out people: as `evaluateRegressor` says. */
  heldOut?: { landmarkError: number; colorError: number; pictures: number }
  /** The trained network; absent when the training has failed. */
  weights?: string
  /** Why it failed: without landmarks it may not converge, as in the paper. */
  problem?: string
}

/** What an ablation gives. */
export interface AblationReport {
  runs: AblationRun[]
  /** Scores of all runs, of each data set. */
  evaluations: EvaluationResults[]
}

/** What becomes of the trainings while they run. */
export interface AblateEvents {
  onStart(what: string): void
  onTraining(progress: TrainingProgress): void
  onScored(done: number, total: number): void
}

/** Trains with all losses and without each, from the same start and on the same photographs in the same order, scores the networks, and writes the
 * table (Tables 1 and 2 of the paper). Trainings and scores that are done are not repeated; one that was interrupted goes on at its last checkpoint.
 *
 * @throws {FacekitError} when it cannot begin; a training that diverges is a row of the table
 * @throws the signal's reason when it is aborted
 */
export async function ablate(
  config: AblateConfig,
  out: string,
  workers: number,
  io: CliIo,
  events: AblateEvents,
): Promise<AblationReport> {
  for (const { path, dataset } of config.evaluate) await openEvaluationDataset(dataset, path)
  await openFolder(config, out)
  const runs: AblationRun[] = []
  for (const left of [undefined, ...config.ablate]) runs.push(await trainOnce(config, left, out, io, events))
  const evaluations: EvaluationResults[] = []
  for (const [i, set] of config.evaluate.entries()) {
    const merged: EvaluationResults[] = []
    for (const { name, weights } of runs) {
      if (weights === undefined) continue
      events.onStart(`${set.path}: scoring ${name}`)
      const { path, dataset, count, pictures } = set
      merged.push(
        named(
          name,
          await evaluate(
            {
              dataset,
              root: path,
              datasetOptions: {
                ...(count !== undefined && { count }),
                ...(pictures !== undefined && { picturesPerCase: pictures }),
              },
              model: config.train.model,
              backend: config.train.backend as BackendName | 'auto',
              regressor: weights,
              methods: [{ name: 'regress' }, { name: 'mean face' }],
              millimetres: 1,
              out: join(out, 'scores', `${i + 1}-${folderOf(name)}`),
              maps: 2,
            },
            {
              workers,
              force: false,
              signal: io.signal,
              onProgress: (done, total) => events.onScored(done, total),
            },
          ),
        ),
      )
    }
    if (merged.length > 0) evaluations.push(joined(merged))
  }
  const report = { runs, evaluations }
  await writeFileAtomic(join(out, 'ablation.json'), `${JSON.stringify(report, null, 1)}\n`)
  await writeFileAtomic(join(out, 'ablation.md'), ablationMarkdown(report))
  await writeFileAtomic(
    join(out, 'ablation.csv'),
    evaluations.map((each) => tablesCsv(scoreTables(each))).join(''),
  )
  return report
}

const folderOf = (name: string) => name.replaceAll(' ', '-')

async function trainOnce(
  config: AblateConfig,
  left: PaperLossName | undefined,
  out: string,
  io: CliIo,
  events: AblateEvents,
): Promise<AblationRun> {
  const name = left === undefined ? 'all losses' : `without ${left}`
  const folder = join(out, folderOf(name))
  const path = join(folder, 'run.json')
  const known = await readFile(path, 'utf8').catch(() => undefined)
  if (known !== undefined) return JSON.parse(known) as AblationRun
  events.onStart(`training ${name}`)
  const losses = { ...config.train.losses, ...(left !== undefined && { [left]: 0 }) }
  let run: AblationRun
  try {
    const report = await runTrain({ ...config.train, losses }, folder, 'auto', io, (now) =>
      events.onTraining(now),
    )
    io.signal.throwIfAborted()
    if (!report)
      throw new FacekitError('facekit ablate: run it in one process; several cannot share its table')
    const { iterations, seconds, evaluation, weights } = report
    run = {
      name,
      iterations,
      seconds: Math.round(seconds),
      ...(evaluation && { heldOut: evaluation as AblationRun['heldOut'] }),
      ...(weights !== undefined && { weights }),
    }
  } catch (error) {
    io.signal.throwIfAborted()
    // A loss that is missed may keep the training from converging: that is a result.
    if (!(error instanceof FacekitError) || error.name !== 'DivergenceError') throw error
    run = { name, iterations: 0, seconds: 0, problem: errorLine(error) }
  }
  await mkdir(folder, { recursive: true })
  await writeFileAtomic(path, `${JSON.stringify(run, null, 1)}\n`)
  return run
}

async function openFolder(config: AblateConfig, out: string): Promise<void> {
  const path = join(out, 'settings.json')
  const text = `${JSON.stringify(config, null, 1)}\n`
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before !== undefined && before !== text)
    throw new FacekitError(`${out} holds an ablation by other settings; use another --out`)
  if (before === undefined && (await readdir(out).catch(() => [])).length > 0)
    throw new FacekitError(`${out} is not empty and holds no ablation; use another --out`)
  await mkdir(out, { recursive: true })
  await writeFileAtomic(path, text)
}

/** The same with the run's name in the place of the method's. */
const named = (name: string, evaluation: EvaluationResults): EvaluationResults => ({
  ...evaluation,
  methods: evaluation.methods.map((method) => (method === 'regress' ? name : method)),
  results: evaluation.results.map((result) =>
    result.method === 'regress' ? { ...result, method: name } : result,
  ),
})

/** Evaluations of one data set as one; the mean face, which is the same in all, once and last. */
function joined(evaluations: readonly EvaluationResults[]): EvaluationResults {
  const [first] = evaluations
  const runs = evaluations.map(({ methods }) => methods[0])
  return {
    ...first,
    methods: [...runs, 'mean face'],
    results: [
      ...evaluations.flatMap(({ results }) => results.filter(({ method }) => method !== 'mean face')),
      ...first.results.filter(({ method }) => method === 'mean face'),
    ],
  }
}

/** The tables: trainings with what held-out people gave, then each data set. */
export function ablationMarkdown({ runs, evaluations }: AblationReport): string {
  const rows = runs.map(({ name, iterations, heldOut, problem }) => {
    const numbers = heldOut
      ? `${heldOut.colorError.toFixed(4)} | ${(100 * heldOut.landmarkError).toFixed(2)}`
      : problem
        ? 'NaN | NaN'
        : '– | –'
    return `| ${name} | ${numbers} | ${iterations} | ${problem ?? ''} |`
  })
  return [
    '# Ablation',
    '',
    '| losses | colour, held out | landmarks, held out, % | iterations | |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...evaluations.map((each) => evaluationMarkdown(each)),
  ].join('\n')
}
