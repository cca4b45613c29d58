import { ValueError } from './errors.js'
import { showValue } from './show-value.js'

/** Checks that a number is finite and inside of a closed range.
 *
 * @throws {ValueError} otherwise, also for NaN and for what is not a number
 */
export function assertInRange(who: string, value: number, minimum = -Infinity, maximum = Infinity): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < minimum || value > maximum) {
    throw new ValueError(`${who} is ${showValue(value)}, expected a number from ${minimum} to ${maximum}`)
  }
}

/** Checks that a number is whole and inside of a closed range.
 *
 * @throws {ValueError} otherwise
 */
export function assertInteger(
  who: string,
  value: number,
  minimum: number,
  maximum = Number.MAX_SAFE_INTEGER,
): void {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new ValueError(
      `${who} is ${showValue(value)}, expected a whole number from ${minimum} to ${maximum}`,
    )
  }
}
