import { FacekitError, writeFileAtomic } from '@facekit/core'
import type { FaceDataset } from '@facekit/dataset'
import type { BackendName } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import type { BackboneName, FaceRegressor } from '@facekit/regressor'
import type { GradientReducer, TrainingProgress, TrainingResult } from '@facekit/trainer'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CliIo } from '../cli-io.js'
import { loadModel } from '../load-model.js'
import type { TrainConfig } from './train-config.js'
import { claimGpu } from './claim-gpu.js'
import { openTrainData } from './train-data.js'
import { isModulePath, loadBackboneModule, loadLossModules } from './train-modules.js'
import { learningRateOf } from './train-rate.js'

/** What became of a training. */
export interface TrainReport extends TrainingResult {
  folder: string
  /** The regressor's file; none when no step was made. */
  weights?: string
  backend: string
  /** Processes that trained together. */
  processes: number
  /** Samples that could not be read. */
  skipped: number
}

/** Trains a regressor, as the settings say, and writes it.
 *
 * @returns nothing in processes other than the first of a run
 * @throws {FacekitError} when it cannot begin, or goes wrong
 */
export async function runTrain(
  config: TrainConfig,
  folder: string,
  resume: boolean | 'auto',
  io: CliIo,
  onProgress: (progress: TrainingProgress) => void,
): Promise<TrainReport | undefined> {
  const { initEngine } = await import('@facekit/engine')
  const { openMpi, plausibilityTerms, supervisedTerms, train } = await import('@facekit/trainer')
  const { paperLossTerms } = await import('@facekit/losses')
  const gpu = await claimGpu(config)
  const reducer = await openMpi({ settings: JSON.stringify(config) })
  const place = reducer ?? { rank: 0, size: 1 }
  const first = place.rank === 0
  const closing: (() => void)[] = []
  try {
    const learningRate = learningRateOf(config.learningRate, config.iterations)
    const model = await loadModel(config.model)
    const own = await loadLossModules(config.lossModules, { model })
    const photographs = await openPhotographs(config)
    io.signal.throwIfAborted()
    const engine = await initEngine({
      backend: config.backend as BackendName | 'auto',
      precision: config.precision,
    })
    if (engine.backend === 'webgpu') {
      const found = gpu(engine.adapter?.software ?? false)
      if (found !== undefined)
        io.stderr.write(`facekit: process ${place.rank} of ${place.size}: ${engine.reason}, ${found}\n`)
    }
    if (first && config.precision !== engine.precision)
      io.stderr.write(`facekit: training in ${engine.precision}: ${engine.precisionReason}\n`)
    const regressor = await openRegressor(config, model)
    closing.push(() => regressor.dispose())
    const data = await openTrainData(config, photographs, model, place)
    closing.push(() => data.dispose())
    const identity = data.dataset !== undefined && config.losses.identity !== 0
    const embedder = identity ? await loadIdentityNetwork() : undefined
    if (embedder) closing.push(() => embedder.dispose())
    const { iterations, evaluateEvery, optimizer, accumulate, checkpointEvery, keepCheckpoints, logEvery } =
      config
    const result = await train({
      regressor,
      model,
      ...(data.dataset && { dataset: data.dataset }),
      ...(data.rendered && { rendered: data.rendered }),
      datasetWeight: config.datasetWeight,
      renderedWeight: config.syntheticWeight,
      losses: [
        ...paperLossTerms({
          ...config.lossOptions,
          weights: { ...config.losses, ...(!identity && { identity: 0 }) },
        }),
        ...plausibilityTerms(model, config.plausibility),
        ...own,
      ],
      supervision: supervisedTerms(config.supervision),
      ...(embedder && { embed: (images) => embedder.embed(images) }),
      ...(data.heldOut.length > 0 && { heldOut: { batches: data.heldOut, every: evaluateEvery } }),
      iterations,
      learningRate,
      optimizer,
      accumulate,
      checkpointEvery,
      keepCheckpoints,
      logEvery,
      ...(config.weightDecay !== undefined && { weightDecay: config.weightDecay }),
      ...(config.clipNorm !== undefined && { clipNorm: config.clipNorm }),
      ...(config.seconds !== undefined && { seconds: config.seconds }),
      ...(reducer && { reducer }),
      folder,
      resume,
      signal: io.signal,
      ...(first && { onProgress, onStart: () => writeConfig(config, folder) }),
    })
    if (!first) return undefined
    // Interrupted before its first step: what there is was not trained, or is there already.
    const isIdle = result.stoppedBy !== 'iterations' && Number.isNaN(result.loss)
    const weights = isIdle ? undefined : await writeRegressor(regressor, config, folder, result)
    const skipped = data.skipped()
    return {
      ...result,
      folder,
      ...(weights !== undefined && { weights }),
      backend: engine.backend,
      processes: place.size,
      skipped,
    }
  } catch (error) {
    if (!reducer || isCommon(error)) throw error
    return giveUp(reducer, error)
  } finally {
    for (const close of closing.toReversed()) close()
    reducer?.close()
  }
}

/** Whether all processes have come to the same error. */
const isCommon = (error: unknown) =>
  error instanceof FacekitError && ['BatchError', 'DivergenceError', 'CheckpointError'].includes(error.name)

/** The others would wait for this process for ever. */
function giveUp(reducer: GradientReducer, error: unknown): never {
  reducer.abort(error instanceof Error ? error.message : String(error))
  throw error
}

async function openRegressor(config: TrainConfig, model: MorphableModel): Promise<FaceRegressor> {
  const { createRegressor, loadBackboneWeights, loadRegressor } = await import('@facekit/regressor')
  if (config.weights !== undefined) return loadRegressor(config.weights, { for: model })
  const { expressionRange } = model.shape
  const regressor = createRegressor({
    backbone: isModulePath(config.backbone)
      ? await loadBackboneModule(config.backbone)
      : (config.backbone as BackboneName),
    layout: model.layout,
    inputSize: config.inputSize,
    seed: config.seed,
    faceModel: model.name,
    ...(expressionRange && { expressionRange }),
  })
  if (config.backboneWeights !== undefined) await loadBackboneWeights(regressor, config.backboneWeights)
  return regressor
}

/** Before a backend starts, which takes longer: a bad path is found first. */
async function openPhotographs({ dataset }: TrainConfig): Promise<FaceDataset | undefined> {
  if (dataset === undefined || isModulePath(dataset)) return undefined
  const { openDataset } = await import('@facekit/dataset')
  return openDataset(dataset)
}

async function loadIdentityNetwork() {
  const { loadEmbedder } = await import('@facekit/annotate')
  return loadEmbedder()
}

async function writeConfig(config: TrainConfig, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFileAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
}

async function writeRegressor(
  regressor: FaceRegressor,
  config: TrainConfig,
  folder: string,
  { iterations, loss, evaluation = {} }: TrainingResult,
): Promise<string> {
  const { saveRegressor } = await import('@facekit/regressor')
  const path = join(folder, 'regressor.safetensors')
  const pictures = [config.dataset && 'photographs', config.synthetic !== false && 'rendered faces']
  const metadata = {
    training: `${iterations} iterations of ${pictures.filter(Boolean).join(' and ')}, batch ${config.batch}, loss ${loss}`,
    evaluation: JSON.stringify(evaluation),
  }
  await writeFileAtomic(
    path,
    await saveRegressor(regressor, { metadata, precision: config.weightsPrecision }),
  )
  return path
}
