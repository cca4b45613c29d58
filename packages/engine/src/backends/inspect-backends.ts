import type * as Os from 'node:os'
import { engine, getBackend, setBackend } from '@tensorflow/tfjs-core'
import { backendProviders } from './backend-providers.js'
import type {
  BackendMemory,
  BackendName,
  BackendReport,
  InitEngineOptions,
  Precision,
} from '../engine-info.js'
import { completeGradients } from '../gradients/complete-gradients.js'
import type { GpuBackend } from '@facekit/kernels'
import { inTurn } from '../in-turn.js'
import { importOptional, isNode } from '../import-optional.js'
import type { GpuEngineBackend } from '../webgpu/backend/engine-backend.js'
import { wrongAnswer } from './known-answers.js'
import { measureBackend } from './measure-backend.js'
import { choosePrecision } from './precision.js'
import { nameMissingKernels } from '../tfjs/missing-kernels.js'
import { startBackend } from './start-backend.js'

/** Options of `inspectBackends`. */
export interface InspectBackendsOptions extends Pick<InitEngineOptions, 'wasmPaths'> {
  /** Whether to measure how fast each backend is, for about two seconds each. Default false. */
  measure?: boolean
  /** `'mixed'` tries mixed precision, too, where the GPU has not been started yet; see `initEngine`. Default `'float32'`. */
  precision?: Precision
}

/** Bounds checks stay, also with mixed precision: backends are measured as they are without it. */
const CHECKED = ['disable-dawn-features=disable_robustness']

/** Tries every backend: starts it and lets it compute a matrix product; measures it if asked to.
 *
 * The backend that was current before is current afterwards; do not compute anything else meanwhile. If there was none, it
 * is the last one that works (cpu).
 *
 * @returns a report of each backend, the fastest first: whether it works here, why not, and what to install
 */
export async function inspectBackends(options: InspectBackendsOptions = {}): Promise<BackendReport[]> {
  return inTurn(async () => {
    const before: string | undefined = getBackend()
    const reports: BackendReport[] = []
    for (const provider of backendProviders) {
      const report = await startBackend(provider, { ...options, dawnFlags: CHECKED }, () => true)
      reports.push(report.available ? await tryOut(report, options) : report)
    }
    if (before) await setBackend(before)
    return reports
  })
}

async function tryOut(
  report: BackendReport,
  { measure, precision }: InspectBackendsOptions,
): Promise<BackendReport> {
  const failed = (reason: string): BackendReport => ({ ...report, available: false, reason })
  try {
    completeGradients()
    nameMissingKernels()
    await setBackend(report.backend)
    const wrong = await wrongAnswer()
    if (wrong !== undefined) return failed(wrong)
    const mixed = report.backend === 'webgpu' && precision === 'mixed' ? await tryMixed() : undefined
    const memory = await memoryOf(report.backend)
    const speed = measure ? await measureBackend() : undefined
    return { ...report, ...mixed, ...(memory && { memory }), ...(speed && { speed }) }
  } catch (error) {
    return failed(String((error as Error).message))
  }
}

/** Whether there is mixed precision; what was chosen before stays. */
async function tryMixed(): Promise<Pick<BackendReport, 'precision' | 'precisionReason'>> {
  const gpu = engine().registry.webgpu as GpuEngineBackend
  const { mixed } = gpu
  const found = await choosePrecision('webgpu', 'mixed')
  gpu.mixed = mixed
  return found
}

async function memoryOf(name: BackendName): Promise<BackendMemory | undefined> {
  if (name === 'wasm') return { bytes: 2 ** 32, of: 'WebAssembly' }
  if (name === 'webgpu') {
    const { device } = engine().registry.webgpu as GpuBackend
    return { bytes: device.limits.maxBufferSize, of: 'one GPU buffer' }
  }
  if (!isNode()) return undefined
  const os = await importOptional<typeof Os>('node:os')
  return os && { bytes: os.totalmem(), of: 'the system' }
}
