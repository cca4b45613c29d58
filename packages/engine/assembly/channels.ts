// Rows of channels: sums over the rows, and what batch normalisation needs. Sums run in float32 over a few rows, in float64 over all.

/** Rows that are added up in float32. */
const ROWS = 32

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
function addDoubles(to: usize, value: v128): void {
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(value)))
  const high = v128.shuffle<f32>(value, value, 2, 3, 2, 3)
  v128.store(to, f64x2.add(v128.load(to, 16), f64x2.promote_low_f32x4(high)), 16)
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

/** factors[C] = scale / sqrt(variance + epsilon), shifts[C] = offset.
 *
 * @param scale - 0: ones
 * @param offset - 0: zeros
 */
export function factorsAndShifts(
  scale: usize,
  offset: usize,
  variance: usize,
  epsilon: f64,
  channels: i32,
  factors: usize,
  shifts: usize,
): void {
  for (let c = 0; c < channels; c++) {
    const at = <usize>c * 4
    const gain: f64 = scale == 0 ? 1 : load<f32>(scale + at)
    store<f32>(factors + at, <f32>(gain / Math.sqrt(<f64>load<f32>(variance + at) + epsilon)))
    store<f32>(shifts + at, offset == 0 ? 0 : load<f32>(offset + at))
  }
}

/** out = (x - mean[C]) * factors[C] + shifts[C], plus the residual (if not 0), then relu. */
export function scaleRows(
  x: usize,
  rows: i32,
  channels: i32,
  mean: usize,
  factors: usize,
  shifts: usize,
  residual: usize,
  relu: bool,
  out: usize,
): void {
  const floor: f32 = relu ? 0 : -Infinity
  const floors = f32x4.splat(floor)
  for (let row = 0; row < rows; row++) {
    let c = 0
    let at: usize = 0
    for (; c + 4 <= channels; c += 4, at += 16) {
      const deviation = f32x4.sub(v128.load(x + at), v128.load(mean + at))
      let value = f32x4.add(f32x4.mul(deviation, v128.load(factors + at)), v128.load(shifts + at))
      if (residual != 0) value = f32x4.add(value, v128.load(residual + at))
      v128.store(out + at, f32x4.max(value, floors))
    }
    for (; c < channels; c++, at += 4) {
      let value = (load<f32>(x + at) - load<f32>(mean + at)) * load<f32>(factors + at) + load<f32>(shifts + at)
      if (residual != 0) value += load<f32>(residual + at)
      store<f32>(out + at, max<f32>(value, floor))
    }
    x += at
    out += at
    if (residual != 0) residual += at
  }
}

/** First part of the gradient of `scaleRows`: masked[rows, C] = dy where the relu let something through; sums[C] (float64) of it, and
 * products[C] of it with x - mean.
 *
 * @param output - what came out, or 0 if it is to be had from x; without relu both are passed over
 */
export function maskRows(
  x: usize,
  dy: usize,
  output: usize,
  rows: i32,
  channels: i32,
  factors: usize,
  shifts: usize,
  mean: usize,
  relu: bool,
  masked: usize,
  sums: usize,
  products: usize,
): void {
  memory.fill(sums, 0, <usize>channels * 8)
  memory.fill(products, 0, <usize>channels * 8)
  const rowBytes = <usize>channels * 4
  const zero = f32x4.splat(0)
  for (let first = 0; first < rows; first += ROWS) {
    const count = min(ROWS, rows - first)
    const block = <usize>first * rowBytes
    let c = 0
    for (; c + 4 <= channels; c += 4) {
      const channel = <usize>c * 4
      const factor = v128.load(factors + channel)
      const shift = v128.load(shifts + channel)
      const average = v128.load(mean + channel)
      let at = block + channel
      let sum = zero
      let product = zero
      for (let i = 0; i < count; i++, at += rowBytes) {
        const value = f32x4.sub(v128.load(x + at), average)
        let slope = v128.load(dy + at)
        if (relu) {
          const passed = output == 0 ? f32x4.add(f32x4.mul(value, factor), shift) : v128.load(output + at)
          slope = v128.and(slope, f32x4.gt(passed, zero))
        }
        v128.store(masked + at, slope)
        sum = f32x4.add(sum, slope)
        product = f32x4.add(product, f32x4.mul(slope, value))
      }
      addDoubles(sums + <usize>c * 8, sum)
      addDoubles(products + <usize>c * 8, product)
    }
    for (; c < channels; c++) {
      const channel = <usize>c * 4
      const factor = load<f32>(factors + channel)
      const shift = load<f32>(shifts + channel)
      const average = load<f32>(mean + channel)
      let at = block + channel
      let sum: f64 = 0
      let product: f64 = 0
      for (let i = 0; i < count; i++, at += rowBytes) {
        const value = load<f32>(x + at) - average
        let slope = load<f32>(dy + at)
        if (relu) {
          const passed = output == 0 ? value * factor + shift : load<f32>(output + at)
          if (!(passed > 0)) slope = 0
        }
        store<f32>(masked + at, slope)
        sum += slope
        product += slope * value
      }
      store<f64>(sums + <usize>c * 8, load<f64>(sums + <usize>c * 8) + sum)
      store<f64>(products + <usize>c * 8, load<f64>(products + <usize>c * 8) + product)
    }
  }
}

/** Second part: scale's and offset's gradients, and dx = masked * factor - (x - mean) * slope - constant.
 *
 * @param training - whether mean and variance are those of x and move with it; else slope and constant are 0
 * @param masked - may be where dx goes
 * @param coefficients - scratch for 2 x `channels` float32
 */
export function normalizationGradient(
  x: usize,
  masked: usize,
  rows: i32,
  channels: i32,
  factors: usize,
  mean: usize,
  variance: usize,
  epsilon: f64,
  training: bool,
  sums: usize,
  products: usize,
  coefficients: usize,
  dScale: usize,
  dOffset: usize,
  dx: usize,
): void {
  const slopes = coefficients
  const constants = coefficients + <usize>channels * 4
  for (let c = 0; c < channels; c++) {
    const at = <usize>c * 4
    const factor = <f64>load<f32>(factors + at)
    const sum = load<f64>(sums + <usize>c * 8)
    const product = load<f64>(products + <usize>c * 8)
    const rate = 1.0 / Math.sqrt(<f64>load<f32>(variance + at) + epsilon)
    const slope: f64 = training ? (factor * product * rate * rate) / rows : 0
    store<f32>(dOffset + at, <f32>sum)
    store<f32>(dScale + at, <f32>(product * rate))
    store<f32>(slopes + at, <f32>slope)
    store<f32>(constants + at, training ? <f32>((factor * sum) / rows) : 0)
  }
  for (let row = 0; row < rows; row++) {
    let c = 0
    let at: usize = 0
    for (; c + 4 <= channels; c += 4, at += 16) {
      const deviation = f32x4.sub(v128.load(x + at), v128.load(mean + at))
      const down = f32x4.add(f32x4.mul(deviation, v128.load(slopes + at)), v128.load(constants + at))
      v128.store(dx + at, f32x4.sub(f32x4.mul(v128.load(masked + at), v128.load(factors + at)), down))
    }
    for (; c < channels; c++, at += 4) {
      const deviation = load<f32>(x + at) - load<f32>(mean + at)
      const down = deviation * load<f32>(slopes + at) + load<f32>(constants + at)
      store<f32>(dx + at, load<f32>(masked + at) * load<f32>(factors + at) - down)
    }
    x += at
    masked += at
    dx += at
  }
}
