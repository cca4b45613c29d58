import {
  type CaseResult,
  type CaseScore,
  drawErrorMap,
  errorMapGlb,
  type EvaluationCase,
  type EvaluationDataset,
  openEvaluationDataset,
  scoreCase,
} from '@facekit/evaluation'
import { ownPictureText, writePng } from '@facekit/export'
import { BackendError, ValueError, writeFileAtomic } from '@facekit/core'
import type { Surface } from '@facekit/mesh'
import { join } from 'node:path'
import { errorLine } from '../error-line.js'
import { PhaseTimer } from '../phase-timer.js'
import { type Session, startSession } from '../session.js'
import { type EvaluatedMethod, type EvaluateSettings, isOwn, type OwnMethod } from './evaluate-settings.js'
import { fileNameOf, makeInside } from './evaluation-folder.js'
import { type FigureRow, writeFigure } from './figure-sheet.js'
import { predictionInFolder } from './prediction-folder.js'
import {
  labelCase,
  needsPictures,
  reconstructCase,
  type Reconstruction,
  unlabelled,
} from './reconstruct-case.js'

/** Scores faces, one after the other. */
export interface Evaluator {
  dataset: EvaluationDataset
  /** Scores a face by methods. What cannot be scored says why.
   *
   * @throws {BackendError} when what computes failed, whatever the face
   * @throws the signal's reason when it is aborted
   */
  evaluate(id: string, methods: readonly EvaluatedMethod[]): Promise<CaseResult[]>
}

type SessionOf = (method: EvaluatedMethod) => Session

/** Opens the data set, and starts model, backend and network.
 *
 * @param threads - of the WASM backend; default: one for each processor
 * @throws {FacekitError} when one of them does not work
 */
export async function createEvaluator(
  settings: EvaluateSettings,
  signal: AbortSignal,
  threads?: number,
): Promise<Evaluator> {
  const dataset = await openEvaluationDataset(settings.dataset, settings.root, settings.datasetOptions)
  const places = new Map(dataset.cases.map((each, i) => [each.id, i]))
  const { model, backend, regressor } = settings
  const start = (method: 'fit' | 'regress') =>
    startSession(
      {
        model,
        backend,
        method,
        ...(regressor !== undefined && { regressor }),
        ...(threads !== undefined && { threads }),
      },
      new PhaseTimer(),
      signal,
    )
  // Each method has the face model that it has in `facekit reconstruct`: where none is named, a network's own is another one than that of fits, and
  // what stands in a table does not depend on which methods stand beside it.
  const usesNetwork = ({ name, folder }: EvaluatedMethod) =>
    folder === undefined && (name === 'regress' || name === 'refine')
  const withNetwork = settings.methods.some(usesNetwork) ? await start('regress') : undefined
  const plain = await start('fit')
  const sessionOf: SessionOf = (method) => (usesNetwork(method) && withNetwork) || plain
  return {
    dataset,
    evaluate: async (id, methods) => {
      const place = places.get(id)
      if (place === undefined) throw new ValueError(`the data set has no face ${id}`)
      return evaluateCase(
        dataset,
        dataset.cases[place],
        methods,
        sessionOf,
        settings,
        place < settings.maps,
        signal,
      )
    },
  }
}

async function evaluateCase(
  dataset: EvaluationDataset,
  one: EvaluationCase,
  methods: readonly EvaluatedMethod[],
  sessionOf: SessionOf,
  settings: EvaluateSettings,
  draw: boolean,
  signal: AbortSignal,
): Promise<CaseResult[]> {
  const { id, group } = one
  const failed = (error: unknown): CaseResult[] =>
    methods.map(({ name }) => ({ id, group, method: name, problems: [errorLine(error)] }))
  const truth = await one.read().catch((error: unknown) => error as Error)
  if (truth instanceof Error) return failed(truth)
  const pictured = methods.some(({ name, folder }) => !folder && needsPictures(name as OwnMethod, truth))
  const labelled = pictured ? await labelCase(one, truth, dataset.root) : unlabelled
  const results: CaseResult[] = []
  const rows: FigureRow[] = []
  /** What was measured of the scan, in the space of a prediction. */
  let scan: Surface | undefined
  for (const method of methods) {
    const { name, folder } = method
    const session = sessionOf(method)
    signal.throwIfAborted()
    const started = performance.now()
    const result: CaseResult = { id, group, method: name, problems: [] }
    results.push(result)
    try {
      if (!folder && !isOwn(name)) throw new ValueError(`"${name}" is no method`)
      const { prediction, problems, panels }: Reconstruction = folder
        ? await predictionInFolder(folder, one, session.model, settings)
        : await reconstructCase(name as OwnMethod, truth, labelled, session, settings, signal, draw)
      result.problems.push(...problems)
      const score = scoreCase(dataset.protocol, truth, prediction)
      result.problems.push(...score.hints)
      result.scores = score.scores
      if (score.quantiles) Object.assign(result, { quantiles: score.quantiles, points: score.points })
      if (draw) {
        rows.push({ method: name, panels: panels ?? [], surface: prediction.surface })
        scan ??= score.map?.surface
        await writeMap(settings.out, id, name, score)
      }
    } catch (error) {
      signal.throwIfAborted()
      // Says nothing about the face: another run should try it again.
      if (error instanceof BackendError)
        throw new BackendError(`${id}, ${name}: ${error.message}`, { cause: error })
      result.problems.push(errorLine(error))
    }
    result.seconds = Math.round(performance.now() - started) / 1000
  }
  if (scan) rows.push({ method: 'truth', panels: [], surface: scan })
  if (draw && rows.length > 0) await writeFigure(join(settings.out, 'figures', `${fileNameOf(id)}.png`), rows)
  return results
}

/** The error map as picture and as mesh, below the results. */
async function writeMap(out: string, id: string, method: string, { map }: CaseScore): Promise<void> {
  if (!map) return
  const name = join(out, 'maps', `${fileNameOf(id)}=${fileNameOf(method)}`)
  await makeInside(join(out, 'maps'))
  await writePng(await drawErrorMap(map), `${name}.png`, { text: ownPictureText })
  await writeFileAtomic(`${name}.glb`, await errorMapGlb(map))
}
