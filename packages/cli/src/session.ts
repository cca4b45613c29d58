import type { BackendName, EngineInfo } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import type { FaceRegressor } from '@facekit/regressor'
import { autoBackends } from './auto-backends.js'
import { BASE_MODEL, loadModel, shippedModelNamed } from './load-model.js'
import { defaultRegressor, faceModelOf, openRegressor } from './open-regressor.js'
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
  /** Name of a trained regressor (`REGRESSORS`), or the file of another; `defaultRegressor` if undefined. */
  regressor?: string
  /** Of the WASM backend; default: one for each processor. */
  threads?: number
}

/** Loads the model and starts a backend, which takes longer: a bad model is found first. */
export async function startSession(
  options: SessionOptions,
  timer: PhaseTimer,
  signal: AbortSignal,
): Promise<Session> {
  const { method = 'fit' } = options
  const named = method === 'fit' ? undefined : (options.regressor ?? (await defaultRegressor(options.model)))
  const model = await timer.measure('model', async () => loadModel(await modelFor(options.model, named)))
  signal.throwIfAborted()
  const engine = await timer.measure('engine', async () => {
    const { initEngine } = await import('@facekit/engine')
    return initEngine({
      backend: options.backend as BackendName | 'auto',
      candidates: autoBackends,
      ...(options.threads !== undefined && { threads: options.threads }),
    })
  })
  signal.throwIfAborted()
  if (named === undefined) return { engine, model }
  const regressor = await timer.measure('regressor', () => openRegressor(named, model))
  signal.throwIfAborted()
  return { engine, model, regressor }
}

/** Where no model was asked for: that of the regressor, if one is used and its model is shipped. */
async function modelFor(model: string, regressor: string | undefined): Promise<string> {
  if (model !== BASE_MODEL || regressor === undefined) return model
  return shippedModelNamed(await faceModelOf(regressor))
}
