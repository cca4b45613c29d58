import { BackendError, showValue, ValueError } from '@facekit/core'
import { getBackend, setBackend } from '@tensorflow/tfjs-core'
import { backendProviders } from './backends/backend-providers.js'
import {
  backendNames,
  type BackendName,
  type BackendReport,
  type EngineInfo,
  type InitEngineOptions,
  type Precision,
} from './engine-info.js'
import { completeGradients } from './gradients/complete-gradients.js'
import { lostReason } from './backends/health.js'
import { wrongAnswer } from './backends/known-answers.js'
import { inTurn } from './in-turn.js'
import { nameMissingKernels } from './tfjs/missing-kernels.js'
import { choosePrecision } from './backends/precision.js'
import { startBackend } from './backends/start-backend.js'

let current: { info: EngineInfo; auto: boolean } | undefined

/** Chooses a TensorFlow.js backend, completes it so that it trains, and makes it the current one.
 *
 * `'auto'` takes the first that works of: tensorflow (when `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node` is
 * installed), webgpu (when there is a GPU that gives the known answers of a few kernels; a software adapter must be asked for), wasm, cpu. After it, use tfjs as usual.
 *
 * May be called again, also at the same time: calls run one after the other, and a call that asks for what already runs
 * changes nothing.
 *
 * @throws {BackendError} when the backend that was asked for does not work here, with what to do about it
 * @throws {ValueError} for an unknown backend
 * @example
 * const engine = await initEngine()
 * console.log(`${engine.backend}: ${engine.reason}`) // wasm: WebAssembly with SIMD, 8 threads
 */
export async function initEngine(options: InitEngineOptions = {}): Promise<EngineInfo> {
  const { backend, candidates = backendNames, threads, precision } = options
  for (const name of [...candidates, ...(backend === undefined || backend === 'auto' ? [] : [backend])]) {
    if (!backendNames.includes(name)) {
      throw new ValueError(
        `initEngine: backend is ${showValue(name)}, expected "auto" or one of ${backendNames.join(', ')}`,
      )
    }
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new ValueError(`initEngine: threads is ${threads}, expected a whole number from 1`)
  }
  if (precision !== undefined && precision !== 'float32' && precision !== 'mixed') {
    throw new ValueError(
      `initEngine: precision is ${JSON.stringify(precision)}, expected "float32" or "mixed"`,
    )
  }
  return inTurn(async () => {
    const kept = keptInfo(options)
    if (kept) return withPrecision(kept, precision)
    const auto = backend === undefined || backend === 'auto'
    const considered: BackendReport[] = []
    for (const provider of backendProviders) {
      if (auto ? !candidates.includes(provider.name) : provider.name !== backend) continue
      const accept = (report: BackendReport) => !(auto && report.adapter?.software)
      const report = await startBackend(provider, options, accept)
      if (!accept(report)) {
        considered.push({ ...report, reason: `${report.reason}; software, used only when asked for` })
        continue
      }
      considered.push(report)
      if (!report.available) continue
      completeGradients()
      nameMissingKernels()
      const before: string | undefined = getBackend()
      await setBackend(provider.name)
      // Drivers of GPUs are many; the other backends are the same everywhere.
      const wrong = provider.name === 'webgpu' ? await wrongAnswer().catch(describeError) : undefined
      if (wrong !== undefined) {
        considered[considered.length - 1] = { ...report, available: false, reason: wrong }
        if (before) await setBackend(before)
        continue
      }
      const { backend: name, available: _, remedy: __, reason, ...details } = report
      const found: EngineInfo = { precision: 'float32', backend: name, reason, ...details, considered }
      const wanted = precision ?? current?.info.precision
      current = { info: found, auto }
      return withPrecision(found, wanted)
    }
    throw new BackendError(failure(options, considered))
  })
}

const describeError = (error: unknown) => String((error as Error)?.message ?? error)

/** Switches what networks compute in, and says so. */
async function withPrecision(info: EngineInfo, precision: Precision | undefined): Promise<EngineInfo> {
  if (precision === undefined || !current) return info
  current.info = { ...info, ...(await choosePrecision(info.backend, precision)) }
  return current.info
}

/** What runs already, if that is what the options ask for. */
function keptInfo({ backend, candidates = backendNames }: InitEngineOptions): EngineInfo | undefined {
  if (!current || getBackend() !== current.info.backend) return undefined
  if (lostReason(current.info.backend) !== undefined) return undefined
  const { info, auto } = current
  if (backend === info.backend) return info
  const allowed = candidates.includes(info.backend)
  return allowed && (backend === undefined || (backend === 'auto' && auto)) ? info : undefined
}

function failure({ backend }: InitEngineOptions, considered: readonly BackendReport[]): string {
  const wanted: BackendName | 'auto' = backend ?? 'auto'
  const found = considered.map(({ backend, reason }) =>
    wanted === 'auto' ? `${backend}: ${reason}` : reason,
  )
  const remedy = considered.find((report) => report.remedy)?.remedy
  return `initEngine: backend "${wanted}" does not work here (${found.join('; ')})${remedy ? `; ${remedy}` : ''}`
}
