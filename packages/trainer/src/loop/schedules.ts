import { assertInRange, assertInteger } from '@facekit/core'
import type { Schedule } from './training-options.js'

/** The value of a schedule at an iteration. */
export function scheduleValue(schedule: Schedule, iteration: number): number {
  return typeof schedule === 'number' ? schedule : schedule(iteration)
}

/** From `from` to `to` along half a cosine, then `to`.
 *
 * to + (from - to) (1 + cos(pi t)) / 2, t = iteration / iterations        (Loshchilov, Hutter 2017, without restarts)
 *
 * @param from - at iteration 0
 * @param iterations - after so many it is at the end
 * @param to - default 0
 */
export function cosineSchedule(from: number, iterations: number, to = 0): (iteration: number) => number {
  assertInteger('cosineSchedule: iterations', iterations, 1)
  return (iteration) => to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, iteration / iterations)))
}

/** `from`, multiplied by `factor` at each of the iterations in `at`.
 *
 * @example
 * const rate = stepSchedule(1e-3, [1000, 2000], 0.1)
 * rate(999) // 1e-3
 * rate(1000) // 1e-4
 */
export function stepSchedule(
  from: number,
  at: readonly number[],
  factor = 0.1,
): (iteration: number) => number {
  assertInRange('stepSchedule: factor', factor, 0, Infinity)
  return (iteration) => from * factor ** at.filter((step) => iteration >= step).length
}

/** Another schedule whose first `iterations` rise in a straight line; the last of them has its full value. */
export function warmup(schedule: Schedule, iterations: number): (iteration: number) => number {
  assertInteger('warmup: iterations', iterations, 0)
  return (iteration) =>
    scheduleValue(schedule, iteration) * Math.min(1, iterations === 0 ? 1 : (iteration + 1) / iterations)
}
