import type { HostArray } from '@facekit/kernels'

/** Mean and variance of each channel of rows of channels, added up in float64.
 *
 * @param mean - `[C]`, written, as is `variance`
 */
export function channelStatistics(x: HostArray, mean: HostArray, variance: HostArray): void {
  const channels = mean.length
  const rows = channels === 0 ? 0 : x.length / channels
  const sums = new Float64Array(channels)
  const squares = new Float64Array(channels)
  // Relative to the first row, so that a large mean costs no digits.
  const shift = Float64Array.from(x.subarray(0, channels))
  for (let row = 0, at = 0; row < rows; row++) {
    for (let c = 0; c < channels; c++, at++) {
      const value = x[at] - shift[c]
      sums[c] += value
      squares[c] += value * value
    }
  }
  for (let c = 0; c < channels; c++) {
    const average = sums[c] / rows
    mean[c] = shift[c] + average
    variance[c] = Math.max(0, squares[c] / rows - average * average)
  }
}

/** The same over the rows of several processes.
 *
 * @param mean - `[C]` of this process's rows; become those of all
 * @param variance - as `mean`
 */
export function reduceStatistics(
  rows: number,
  mean: HostArray,
  variance: HostArray,
  reduce: BatchReduce,
): void {
  const channels = mean.length
  const sums = new Float64Array(channels + 1)
  for (let c = 0; c < channels; c++) sums[c] = rows * mean[c]
  sums[channels] = rows
  reduce(sums)
  const total = sums[channels]
  // Deviations from the common mean, so that a large mean costs no digits.
  const squares = Float64Array.from(mean, (own, c) => rows * (variance[c] + (own - sums[c] / total) ** 2))
  reduce(squares)
  for (let c = 0; c < channels; c++) {
    mean[c] = sums[c] / total
    variance[c] = squares[c] / total
  }
}

/** What a normalisation is made of, rows of channels and `[C]` each. */
export interface NormalizationArrays {
  x: HostArray
  scale: HostArray
  offset: HostArray
  mean: HostArray
  variance: HostArray
  residual?: HostArray
}

/** `(x - mean) / sqrt(variance + epsilon) * scale + offset`, plus the residual, then the activation. */
export function normalizeArrays(
  { x, scale, offset, mean, variance, residual }: NormalizationArrays,
  output: HostArray,
  epsilon: number,
  relu: boolean,
): void {
  const channels = mean.length
  const { length } = output
  const factors = new Float64Array(channels)
  const shifts = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    factors[c] = scale[c] / Math.sqrt(variance[c] + epsilon)
    shifts[c] = offset[c] - mean[c] * factors[c]
  }
  const floor = relu ? 0 : -Infinity
  for (let at = 0; at < length;) {
    for (let c = 0; c < channels; c++, at++) {
      let value = x[at] * factors[c] + shifts[c]
      if (residual !== undefined) value += residual[at]
      // NaN goes through.
      output[at] = value < floor ? floor : value
    }
  }
}

/** Results of `normalizationGradientArrays`. */
export interface NormalizationGradientArrays {
  x: HostArray
  scale: HostArray
  offset: HostArray
  residual?: HostArray
}

/** Adds numbers up over the processes of a run, in place. */
export type BatchReduce = (values: Float64Array) => void

/** Gradients of `normalizeArrays`.
 *
 * @param output - what came out, when the activation is a relu and there is a residual; without a residual its sign follows from `x`
 * @param training - whether mean and variance are those of `x`, and move with it
 * @param reduce - of a batch that is spread over processes; gradients of scale and offset are of this process's rows all the same
 */
export function normalizationGradientArrays(
  { x, scale, offset, mean, variance }: NormalizationArrays,
  dy: HostArray,
  output: HostArray | undefined,
  gradients: NormalizationGradientArrays,
  {
    epsilon,
    relu,
    training,
    reduce,
  }: { epsilon: number; relu: boolean; training: boolean; reduce?: BatchReduce },
): void {
  const channels = mean.length
  const { length } = x
  const factors = new Float64Array(channels)
  const shifts = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    factors[c] = scale[c] / Math.sqrt(variance[c] + epsilon)
    shifts[c] = offset[c] - mean[c] * factors[c]
  }
  const sums = new Float64Array(channels)
  const products = new Float64Array(channels)
  // The masked gradient is kept where the result will be.
  const kept = gradients.x
  for (let at = 0; at < length;) {
    for (let c = 0; c < channels; c++, at++) {
      let value = dy[at]
      if (relu) {
        const passed = output === undefined ? x[at] * factors[c] + shifts[c] : output[at]
        if (!(passed > 0)) value = 0
      }
      kept[at] = value
      sums[c] += value
      products[c] += value * (x[at] - mean[c])
    }
  }
  if (gradients.residual) gradients.residual.set(kept)
  const all = Float64Array.of(...sums, ...products, length / channels)
  reduce?.(all)
  const rows = all[2 * channels]
  const slopes = new Float64Array(channels)
  const constants = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    const rate = 1 / Math.sqrt(variance[c] + epsilon)
    gradients.offset[c] = sums[c]
    gradients.scale[c] = products[c] * rate
    if (!training) continue
    slopes[c] = (factors[c] * all[channels + c] * rate * rate) / rows
    constants[c] = (factors[c] * all[c]) / rows - slopes[c] * mean[c]
  }
  const result = gradients.x
  for (let at = 0; at < length;) {
    for (let c = 0; c < channels; c++, at++) {
      result[at] = kept[at] * factors[c] - x[at] * slopes[c] - constants[c]
    }
  }
}
