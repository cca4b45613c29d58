import type { BackendProvider } from './backend-provider.js'
import type { BackendReport, InitEngineOptions } from '../engine-info.js'

/** Looks for a backend and starts it.
 *
 * @param accept - whether a backend that was found is wanted at all
 * @returns what was found; `available` is false when it does not start
 */
export async function startBackend(
  provider: BackendProvider,
  options: InitEngineOptions,
  accept: (report: BackendReport) => boolean,
): Promise<BackendReport> {
  const report = await provider.probe(options)
  if (!report.available || !accept(report)) return report
  try {
    return { ...report, ...(await provider.start(options)) }
  } catch (error) {
    const [reason, ...remedy] = String((error as Error).message).split('; ')
    return { ...report, available: false, reason, ...(remedy.length > 0 && { remedy: remedy.join('; ') }) }
  }
}
