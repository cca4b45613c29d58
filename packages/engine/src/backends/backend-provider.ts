import type { BackendName, BackendReport, InitEngineOptions } from '../engine-info.js'

/** How the engine finds and starts one backend. */
export interface BackendProvider {
  readonly name: BackendName
  /** Looks whether the backend can run here, without starting it and without changing the current one. */
  probe(options: InitEngineOptions): Promise<BackendReport>
  /** Makes the backend's instance exist, so that `setBackend` succeeds at once; does nothing when it exists.
   *
   * @returns what only a started backend knows
   * @throws {Error} with the cause, when it does not start
   */
  start(options: InitEngineOptions): Promise<Partial<BackendReport>>
}
