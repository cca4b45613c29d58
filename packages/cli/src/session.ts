import type { BackendName, EngineInfo } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { autoBackends } from './auto-backends.js'
import { loadModel } from './load-model.js'
import type { PhaseTimer } from './phase-timer.js'

/** What all faces of a run share. */
export interface Session {
  engine: EngineInfo
  model: MorphableModel
}

/** Loads the model and starts a backend, which takes longer: a bad model is found first. */
export async function startSession(
  options: { model: string; backend: string },
  timer: PhaseTimer,
  signal: AbortSignal,
): Promise<Session> {
  const model = await timer.measure('model', () => loadModel(options.model))
  signal.throwIfAborted()
  const engine = await timer.measure('engine', async () => {
    const { initEngine } = await import('@facekit/engine')
    return initEngine({ backend: options.backend as BackendName | 'auto', candidates: autoBackends })
  })
  signal.throwIfAborted()
  return { engine, model }
}
