import { BackendError } from '@facekit/core'
import { assertHealthy, initEngine, type BackendName, type EngineInfo } from '@facekit/engine'
import type { PhotoOptions } from '../options.js'
import { isNode } from '../photo-source.js'

/** What `'auto'` chooses from. In Node not webgpu: one photograph would wait for its shaders to compile. */
const candidates = (): readonly BackendName[] => (isNode() ? ['wasm', 'cpu'] : ['webgpu', 'wasm', 'cpu'])

/** Whether the GPU computes; false for good when it has failed: it is not asked again. */
let gpu: boolean | undefined

/** Does a job on a backend. A GPU that fails on the way is given up for WASM, unless it was asked for by name.
 *
 * @param onNotice - is told when a GPU is given up
 * @throws {BackendError} when no backend works, or the one that was asked for fails
 */
export async function onEngine<T>(
  backend: PhotoOptions['backend'] = 'auto',
  job: (engine: EngineInfo) => Promise<T>,
  onNotice?: (notice: string) => void,
): Promise<T> {
  const choice = candidates().filter((name) => !(gpu === false && name === 'webgpu'))
  const engine = await initEngine({ backend, candidates: choice })
  if (engine.backend === 'webgpu') gpu = true
  // It was lost between two calls.
  else if (gpu && backend === 'auto') giveUpGpu(engine.considered[0].reason, onNotice)
  try {
    const result = await job(engine)
    await assertHealthy()
    return result
  } catch (error) {
    const mayChange = backend === 'auto' && engine.backend === 'webgpu' && error instanceof BackendError
    if (!mayChange) throw error
    giveUpGpu(error.message.split(';')[0], onNotice)
    return job(await initEngine({ backend: 'auto', candidates: ['wasm', 'cpu'] }))
  }
}

function giveUpGpu(reason: string, onNotice: ((notice: string) => void) | undefined): void {
  gpu = false
  const notice = `the GPU failed (${reason}); the work goes on without it`
  console.warn(`facekit: ${notice}`)
  onNotice?.(notice)
}
