import type { ReconstructProgress } from '../options.js'

type Stage = ReconstructProgress['stage']

/** Where each stage ends, as a share of the whole: by their times on WASM. */
const ENDS: Record<Stage, number> = {
  loading: 0.05,
  reading: 0.1,
  finding: 0.18,
  landmarks: 0.35,
  shape: 0.78,
  texture: 1,
}
const STAGES = Object.keys(ENDS) as Stage[]

/** Tells how far the work is, and never falls back. */
export function progressReporter(
  tell: ((progress: ReconstructProgress) => void) | undefined,
  loadedBytes: () => number,
): (stage: Stage, share: number, notice?: string) => void {
  let most = 0
  return (stage, share, notice) => {
    const start = ENDS[STAGES[STAGES.indexOf(stage) - 1]] ?? 0
    most = Math.max(most, start + (ENDS[stage] - start) * share)
    tell?.({ stage, progress: most, loadedBytes: loadedBytes(), ...(notice && { notice }) })
  }
}
