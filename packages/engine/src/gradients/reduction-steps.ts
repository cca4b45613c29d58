/** A tensor as `[outer, size, inner]`, of which the middle is reduced. */
export interface ReducedShape {
  outer: number
  size: number
  inner: number
}

/** Runs of neighbouring axes that are reduced, one after the other, each as `[outer, size, inner]`. The one that
 * leaves least comes first. */
export function reductionSteps(shape: readonly number[], axes: readonly number[]): ReducedShape[] {
  const runs: { size: number; reduced: boolean }[] = []
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue
    const reduced = axes.includes(axis)
    const last = runs.at(-1)
    if (last?.reduced === reduced) last.size *= size
    else runs.push({ size, reduced })
  }
  const steps: ReducedShape[] = []
  for (;;) {
    const sizes = runs.map((run) => (run.reduced ? run.size : 0))
    const size = Math.max(0, ...sizes)
    if (size === 0) break
    const at = sizes.indexOf(size)
    const product = (part: typeof runs) => part.reduce((n, run) => n * run.size, 1)
    steps.push({ outer: product(runs.slice(0, at)), size, inner: product(runs.slice(at + 1)) })
    runs[at] = { size: 1, reduced: false }
  }
  // Nothing to reduce: still a result of its own, and of the right type.
  if (steps.length === 0)
    steps.push({ outer: shape.reduce((product, n) => product * n, 1), size: 1, inner: 1 })
  return steps
}
