/** Smooths a mask by `passes` box filters of width 2 * radius + 1 (three come close to a Gaussian); at the border the box is
 * cut off, so that a constant stays constant.
 *
 * @param mask - `[height * width]`
 * @param radius - whole pixels
 * @returns a new mask
 */
export function blurMask(
  mask: Float32Array,
  width: number,
  height: number,
  radius: number,
  passes = 3,
): Float32Array {
  let current: Float32Array = mask.slice()
  if (radius < 1) return current
  for (let pass = 0; pass < passes; pass++) {
    const rows = boxFilter(current, width, height, 1, width, radius)
    current = boxFilter(rows, height, width, width, 1, radius)
  }
  return current
}

function boxFilter(
  source: Float32Array,
  length: number,
  lines: number,
  step: number,
  lineStep: number,
  radius: number,
): Float32Array {
  const target = new Float32Array(source.length)
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep
    let sum = 0
    let count = 0
    for (let i = 0; i < Math.min(radius, length); i++) {
      sum += source[start + i * step]
      count++
    }
    for (let i = 0; i < length; i++) {
      if (i + radius < length) {
        sum += source[start + (i + radius) * step]
        count++
      }
      if (i - radius - 1 >= 0) {
        sum -= source[start + (i - radius - 1) * step]
        count--
      }
      target[start + i * step] = sum / count
    }
  }
  return target
}
