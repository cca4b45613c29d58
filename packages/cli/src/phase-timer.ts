/** Seconds that each phase of a job took. */
export class PhaseTimer {
  readonly #seconds: Record<string, number> = {}

  /** Runs a phase; phases of one name add up. */
  async measure<T>(phase: string, work: () => T | Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await work()
    } finally {
      this.#seconds[phase] = (this.#seconds[phase] ?? 0) + (performance.now() - started) / 1000
    }
  }

  /** Adds the phases of another timer. */
  add(other: PhaseTimer): void {
    for (const [phase, seconds] of Object.entries(other.#seconds)) {
      this.#seconds[phase] = (this.#seconds[phase] ?? 0) + seconds
    }
  }

  /** Milliseconds are precise enough. */
  get seconds(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.#seconds).map(([phase, seconds]) => [phase, Math.round(seconds * 1000) / 1000]),
    )
  }
}
