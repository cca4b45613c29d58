import { getBackend, matMul, setBackend, tensor2d, tidy } from '@tensorflow/tfjs-core'
import { backendProviders } from './backend-providers.js'
import type { BackendReport, InitEngineOptions } from './engine-info.js'
import { completeGradients } from './complete-gradients.js'
import { inTurn } from './in-turn.js'
import { startBackend } from './start-backend.js'

/** Tries every backend: starts it and lets it compute a matrix product.
 *
 * The backend that was current before is current afterwards; do not compute anything else meanwhile. If there was none, it
 * is the last one that works (cpu).
 *
 * @returns a report of each backend, the fastest first: whether it works here, why not, and what to install
 */
export async function inspectBackends(
  options: Pick<InitEngineOptions, 'wasmPaths'> = {},
): Promise<BackendReport[]> {
  return inTurn(async () => {
    const before: string | undefined = getBackend()
    const reports: BackendReport[] = []
    for (const provider of backendProviders) {
      const report = await startBackend(provider, options, () => true)
      reports.push(report.available ? await tryOut(report) : report)
    }
    if (before) await setBackend(before)
    return reports
  })
}

async function tryOut(report: BackendReport): Promise<BackendReport> {
  const failed = (reason: string): BackendReport => ({ ...report, available: false, reason })
  try {
    completeGradients()
    await setBackend(report.backend)
    const product = tidy(() =>
      matMul(
        tensor2d([
          [1, 2],
          [3, 4],
        ]),
        tensor2d([[5], [6]]),
      ),
    )
    const [a, b] = await product.data()
    product.dispose()
    return a === 17 && b === 39 ? report : failed(`it computes wrong numbers: ${a}, ${b} instead of 17, 39`)
  } catch (error) {
    return failed(String((error as Error).message))
  }
}
