// Rows of channels: sums over the rows, in float32 over a few of them, in float64 over all.

/** Rows that are added up in float32. */
export const ROWS = 32

/** Adds to sums[C] (float64) what is in the rows, less the shift, and its squares to squares[C] if that is not 0. */
function addRows(x: usize, rows: i32, channels: i32, shift: usize, sums: usize, squares: usize): void {
  const rowBytes = <usize>channels * 4
  for (let first = 0; first < rows; first += ROWS) {
    const count = min(ROWS, rows - first)
    const block = x + <usize>first * rowBytes
    let c = 0
    for (; c + 4 <= channels; c += 4) {
      const start = shift == 0 ? f32x4.splat(0) : v128.load(shift + <usize>c * 4)
      let at = block + <usize>c * 4
      let sum = f32x4.splat(0)
      let square = f32x4.splat(0)
      if (squares == 0) {
        for (let i = 0; i < count; i++, at += rowBytes) sum = f32x4.add(sum, v128.load(at))
      } else {
        for (let i = 0; i < count; i++, at += rowBytes) {
          const value = f32x4.sub(v128.load(at), start)
          sum = f32x4.add(sum, value)
          square = f32x4.add(square, f32x4.mul(value, value))
        }
        addDoubles(squares + <usize>c * 8, square)
      }
      addDoubles(sums + <usize>c * 8, sum)
    }
    for (; c < channels; c++) {
      const start: f64 = shift == 0 ? 0 : load<f32>(shift + <usize>c * 4)
      let at = block + <usize>c * 4
      let sum: f64 = 0
      let square: f64 = 0
      for (let i = 0; i < count; i++, at += rowBytes) {
        const value = <f64>load<f32>(at) - start
        sum += value
        square += value * value
      }
      store<f64>(sums + <usize>c * 8, load<f64>(sums + <usize>c * 8) + sum)
      if (squares != 0) store<f64>(squares + <usize>c * 8, load<f64>(squares + <usize>c * 8) + square)
    }
  }
}

// @ts-ignore: decorator
@inline
export function addDoubles(to: usize, value: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(value)))
  const high = v128.shuffle<f32>(value, value, 2, 3, 2, 3)
  v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(high)), 16)
}

/** out[row] = factor * the sum of each row: up to 32 numbers a lane are added up in float32, those sums in float64. */
export function rowSums(x: usize, rows: i32, columns: i32, factor: f64, out: usize): void {
  for (let row = 0; row < rows; row++, out += 4) {
    let total: f64 = 0
    let i = 0
    while (i + 4 <= columns) {
      const end = min(columns & ~3, i + 4 * ROWS)
      let sum = f32x4.splat(0)
      for (; i < end; i += 4, x += 16) sum = f32x4.add(sum, v128.load(x))
      total += <f64>f32x4.extract_lane(sum, 0) + <f64>f32x4.extract_lane(sum, 1)
      total += <f64>f32x4.extract_lane(sum, 2) + <f64>f32x4.extract_lane(sum, 3)
    }
    for (; i < columns; i++, x += 4) total += <f64>load<f32>(x)
    store<f32>(out, <f32>(total * factor))
  }
}

/** out[C] = factor * the sum of the rows.
 *
 * @param scratch - `channels` float64
 */
export function columnSums(x: usize, rows: i32, channels: i32, factor: f64, out: usize, scratch: usize): void {
  memory.fill(scratch, 0, <usize>channels * 8)
  addRows(x, rows, channels, 0, scratch, 0)
  for (let c = 0; c < channels; c++) store<f32>(out + <usize>c * 4, <f32>(load<f64>(scratch + <usize>c * 8) * factor))
}

/** Mean and variance of each channel.
 *
 * @param scratch - 2 x `channels` float64
 */
export function statistics(x: usize, rows: i32, channels: i32, mean: usize, variance: usize, scratch: usize): void {
  const squares = scratch + <usize>channels * 8
  memory.fill(scratch, 0, <usize>channels * 16)
  // Relative to the first row, so that a large mean costs no digits.
  addRows(x, rows, channels, x, scratch, squares)
  for (let c = 0; c < channels; c++) {
    const average = load<f64>(scratch + <usize>c * 8) / rows
    const square = load<f64>(squares + <usize>c * 8) / rows
    store<f32>(mean + <usize>c * 4, <f32>(<f64>load<f32>(x + <usize>c * 4) + average))
    store<f32>(variance + <usize>c * 4, <f32>max<f64>(0, square - average * average))
  }
}
