import type { BackendName, EngineInfo } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceRegressor } from '@facekit/regressor'
import { autoBackends } from './auto-backends.js'
import { BASE_MODEL, loadModel, shippedModelNamed } from './load-model.js'
import type { PhaseTimer } from './phase-timer.js'

/** What all faces of a run share. */
export interface Session {
  engine: EngineInfo
  model: MorphableModel
  /** What a face starts from; none with the method `fit`. */
  regressor?: FaceRegressor
}

/** How a face is found: by optimisation, by a network in one pass, or by the one after the other. */
export type Method = 'fit' | 'regress' | 'refine'

/** What a session depends on. */
export interface SessionOptions {
  model: string
  backend: string
  /** Default `'fit'`. */
  method?: Method
  /** File of a regressor; the shipped one if undefined. */
  regressor?: string
}

/** Loads the model and starts a backend, which takes longer: a bad model is found first. */
export async function startSession(
  options: SessionOptions,
  timer: PhaseTimer,
  signal: AbortSignal,
): Promise<Session> {
  const model = await timer.measure('model', async () => loadModel(await modelFor(options)))
  signal.throwIfAborted()
  const engine = await timer.measure('engine', async () => {
    const { initEngine } = await import('@facekit/engine')
    return initEngine({ backend: options.backend as BackendName | 'auto', candidates: autoBackends })
  })
  signal.throwIfAborted()
  if ((options.method ?? 'fit') === 'fit') return { engine, model }
  const regressor = await timer.measure('regressor', () => openRegressor(options.regressor, model))
  signal.throwIfAborted()
  return { engine, model, regressor }
}

/** Where no model was asked for: that of the regressor, if one is used and its model is shipped. */
async function modelFor({ model, method = 'fit', regressor }: SessionOptions): Promise<string> {
  if (model !== BASE_MODEL || method === 'fit') return model
  if (regressor === undefined) {
    const { pretrainedFaceModel } = await import('@facekit/regressor-weights')
    return shippedModelNamed(pretrainedFaceModel)
  }
  const [{ readSafetensors }, { readFile }] = await Promise.all([
    import('@facekit/core'),
    import('node:fs/promises'),
  ])
  try {
    return shippedModelNamed(readSafetensors(await readFile(regressor), regressor).metadata.faceModel)
  } catch {
    // Whoever opens the regressor says what is wrong with it.
    return model
  }
}

/** @throws {ModelFormatError} when the regressor is for another face model */
async function openRegressor(file: string | undefined, model: MorphableModel): Promise<FaceRegressor> {
  if (file === undefined) {
    const { loadPretrainedRegressor } = await import('@facekit/regressor-weights')
    return loadPretrainedRegressor({ for: model })
  }
  const { foldRegressor, loadRegressor } = await import('@facekit/regressor')
  const regressor = await loadRegressor(file, { for: model })
  const folded = foldRegressor(regressor)
  regressor.dispose()
  return folded
}
