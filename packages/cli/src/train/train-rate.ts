import { showValue, ValueError } from '@facekit/core'
import { cosineSchedule, stepSchedule, warmup, type Schedule } from '@facekit/trainer'
import type { RateConfig } from './train-config.js'

/** Makes a schedule of what the settings say.
 *
 * @throws {ValueError} for an unknown schedule
 */
export function learningRateOf(rate: RateConfig, iterations: number): Schedule {
  if (typeof rate === 'number') return rate
  const schedule =
    rate.schedule === 'cosine'
      ? cosineSchedule(rate.from, Math.max(1, iterations), rate.to)
      : rate.schedule === 'step'
        ? stepSchedule(rate.from, rate.at, rate.factor)
        : undefined
  if (!schedule || !Number.isFinite(rate.from)) {
    throw new ValueError(
      `learningRate is ${showValue(rate)}, expected a number, { "schedule": "cosine", "from": 1e-3 } or { "schedule": "step", "from": 1e-3, "at": [1000] }`,
    )
  }
  return rate.warmup ? warmup(schedule, rate.warmup) : schedule
}
