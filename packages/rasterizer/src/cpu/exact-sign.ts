const SPLITTER = 2 ** 27 + 1

/** What rounding took from a product of two numbers (Dekker, "A floating-point technique for extending the available precision", 1971). */
function roundingError(a: number, b: number, product: number): number {
  const aScaled = SPLITTER * a
  const aHigh = aScaled - (aScaled - a)
  const aLow = a - aHigh
  const bScaled = SPLITTER * b
  const bHigh = bScaled - (bScaled - b)
  const bLow = b - bHigh
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/** The sign of a d - b c, exactly: 1, -1 or 0.
 *
 * Rounding keeps the order of the two products, so their float64 difference has the right sign unless it is 0. Then the products
 * differ by less than they were rounded, and what rounding took decides. Numbers between 1e-140 and 1e140, or 0. NaN gives 0.
 */
export function exactSign(a: number, b: number, c: number, d: number): number {
  const left = a * d
  const right = b * c
  if (left !== right) return left > right ? 1 : left < right ? -1 : 0
  const difference = roundingError(a, d, left) - roundingError(b, c, right)
  return difference > 0 ? 1 : difference < 0 ? -1 : 0
}
