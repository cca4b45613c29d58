import { BackendError } from '@facekit/core'
import { assertHealthy, initEngine, type BackendName, type EngineInfo } from '@facekit/engine'
import type { PhotoOptions } from '../options.js'
import { isNode } from '../photo-source.js'

/** What `'auto'` chooses from. In Node not webgpu: one photograph would wait for its shaders to compile. */
const candidates = (): readonly BackendName[] => (isNode() ? ['wasm', 'cpu'] : ['webgpu', 'wasm', 'cpu'])

/** Set when the GPU has failed: it is not asked again. */
let withoutGpu = false

/** Does a job on a backend. A GPU that fails on the way is given up for WASM, unless it was asked for by name.
 *
 * @throws {BackendError} when no backend works, or the one that was asked for fails
 */
export async function onEngine<T>(
  backend: PhotoOptions['backend'] = 'auto',
  job: (engine: EngineInfo) => Promise<T>,
): Promise<T> {
  const choice = candidates().filter((name) => !(withoutGpu && name === 'webgpu'))
  const engine = await initEngine({ backend, candidates: choice })
  try {
    const result = await job(engine)
    await assertHealthy()
    return result
  } catch (error) {
    const mayChange = backend === 'auto' && engine.backend === 'webgpu' && error instanceof BackendError
    if (!mayChange) throw error
    withoutGpu = true
    return job(await initEngine({ backend: 'auto', candidates: ['wasm', 'cpu'] }))
  }
}
