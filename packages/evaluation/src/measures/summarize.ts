import { ValueError } from '@facekit/core'

/** What a row of numbers comes to. */
export interface Summary {
  count: number
  mean: number
  /** Standard deviation: divided by the count, not by one less. */
  deviation: number
  median: number
  /** 90 % of the numbers are below. */
  p90: number
  most: number
}

/** Mean, standard deviation, median and tail of numbers; NaN marks numbers that do not count.
 *
 * @throws {ValueError} when none counts
 */
export function summarize(values: ArrayLike<number>): Summary {
  const sorted = Float64Array.from(values)
    .filter((value) => !Number.isNaN(value))
    .sort()
  const count = sorted.length
  if (count === 0) throw new ValueError('summarize: there is no number that counts')
  let mean = 0
  for (const value of sorted) mean += value / count
  let variance = 0
  for (const value of sorted) variance += (value - mean) ** 2 / count
  return {
    count,
    mean,
    deviation: Math.sqrt(variance),
    median: quantileOf(sorted, 0.5),
    p90: quantileOf(sorted, 0.9),
    most: sorted[count - 1],
  }
}

/** A quantile of sorted numbers, between neighbours linearly. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
}
