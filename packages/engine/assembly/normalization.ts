// Batch normalisation of rows of channels, and its gradient.
import { addDoubles, ROWS } from './channels'

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
 * @param output - what came out, or 0 if it follows from x; without relu both are passed over
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
