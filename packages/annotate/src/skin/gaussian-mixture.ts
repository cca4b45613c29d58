import { assertInteger, createRandom, ValueError } from '@facekit/core'

/** A mixture of K Gaussians in D dimensions. Plain numbers, so that it can be kept as JSON. */
export interface GaussianMixture {
  /** K, sum 1. */
  weights: number[]
  /** K x D. */
  means: number[][]
  /** K x D x D, symmetric and positive definite. */
  covariances: number[][][]
}

/** Options of `fitGaussianMixture`. */
export interface FitGaussianMixtureOptions {
  /** K. Default 4. */
  components?: number
  /** Most rounds of EM. Default 100. */
  iterations?: number
  /** EM ends when the mean log-likelihood grows by less. Default 1e-5. */
  tolerance?: number
  /** Added to the diagonal of each covariance, in square units of the samples. Default 1e-5. */
  regularization?: number
  /** Seed of the first centres. Default 1. */
  seed?: number
}

/** Fits a mixture of Gaussians with full covariances by expectation maximisation, from k-means++ centres.
 *
 * @param samples - n samples of D numbers
 * @throws {ValueError} when there are fewer samples than components, or samples that are not finite
 */
export function fitGaussianMixture(
  samples: readonly (readonly number[])[],
  options: FitGaussianMixtureOptions = {},
): GaussianMixture {
  const { components = 4, iterations = 100, tolerance = 1e-5, regularization = 1e-5, seed = 1 } = options
  assertInteger('fitGaussianMixture: components', components, 1, 1000)
  if (samples.length < components || samples.some((sample) => !sample.every(Number.isFinite))) {
    throw new ValueError(
      `fitGaussianMixture: ${samples.length} samples, expected at least ${components} (one a component), all finite`,
    )
  }
  let mixture = start(samples, components, regularization, seed)
  let before = -Infinity
  for (let iteration = 0; iteration < iterations; iteration++) {
    const { next, likelihood } = step(samples, mixture, regularization)
    mixture = next
    if (likelihood - before < tolerance) break
    before = likelihood
  }
  return mixture
}

/** Makes the function `sample -> log of the mixture's density there`. */
export function logDensity(mixture: GaussianMixture): (sample: ArrayLike<number>) => number {
  const components = logComponents(mixture)
  const logs = new Float64Array(mixture.weights.length)
  return (sample) => components(sample, logs)
}

/** Writes log(weight_k N_k(sample)) of each component into `logs` and returns the log of their sum. */
function logComponents(mixture: GaussianMixture) {
  const count = mixture.weights.length
  const dimensions = mixture.means[0].length
  // Flat arrays: this runs for every pixel.
  const means = Float64Array.from(mixture.means.flat())
  const factors = new Float64Array(count * dimensions * dimensions)
  const constants = new Float64Array(count)
  mixture.covariances.forEach((covariance, k) => {
    const factor = cholesky(covariance)
    const logDeterminant = factor.reduce((sum, row, i) => sum + Math.log(row[i]), 0)
    constants[k] =
      Math.log(mixture.weights[k] + 1e-300) - logDeterminant - (dimensions / 2) * Math.log(2 * Math.PI)
    // The diagonal as reciprocals: the substitution below divides by it.
    factor.forEach((row, i) => (row[i] = 1 / row[i]))
    factors.set(factor.flat(), k * dimensions * dimensions)
  })
  const y = new Float64Array(dimensions)
  return (sample: ArrayLike<number>, logs: Float64Array) => {
    let largest = -Infinity
    for (let k = 0; k < count; k++) {
      let square = 0
      for (let i = 0; i < dimensions; i++) {
        const row = (k * dimensions + i) * dimensions
        let value = sample[i] - means[k * dimensions + i]
        for (let j = 0; j < i; j++) value -= factors[row + j] * y[j]
        y[i] = value * factors[row + i]
        square += y[i] * y[i]
      }
      logs[k] = constants[k] - square / 2
      if (logs[k] > largest) largest = logs[k]
    }
    let sum = 0
    for (let k = 0; k < count; k++) sum += Math.exp(logs[k] - largest)
    return largest + Math.log(sum)
  }
}

function step(samples: readonly (readonly number[])[], mixture: GaussianMixture, regularization: number) {
  const count = mixture.weights.length
  const dimensions = mixture.means[0].length
  const components = logComponents(mixture)
  const logs = new Float64Array(count)
  const totals = new Float64Array(count)
  const sums = mixture.means.map(() => new Float64Array(dimensions))
  const products = mixture.means.map(() => new Float64Array(dimensions * dimensions))
  let likelihood = 0
  for (const sample of samples) {
    const log = components(sample, logs)
    likelihood += log / samples.length
    for (let k = 0; k < count; k++) {
      const share = Math.exp(logs[k] - log)
      if (share < 1e-12) continue
      totals[k] += share
      for (let i = 0; i < dimensions; i++) {
        const a = sample[i] - mixture.means[k][i]
        sums[k][i] += share * a
        for (let j = 0; j <= i; j++) {
          products[k][i * dimensions + j] += share * a * (sample[j] - mixture.means[k][j])
        }
      }
    }
  }
  const next: GaussianMixture = {
    weights: [...totals].map((total) => total / samples.length),
    means: mixture.means.map((mean, k) => mean.map((value, i) => value + sums[k][i] / (totals[k] + 1e-9))),
    covariances: mixture.means.map((_, k) =>
      square(dimensions, (i, j) => {
        const [a, b] = i >= j ? [i, j] : [j, i]
        const total = totals[k] + 1e-9
        const moment = products[k][a * dimensions + b] / total - (sums[k][i] / total) * (sums[k][j] / total)
        return moment + (i === j ? regularization : 0)
      }),
    ),
  }
  return { next, likelihood }
}

function start(
  samples: readonly (readonly number[])[],
  components: number,
  regularization: number,
  seed: number,
): GaussianMixture {
  const random = createRandom(seed)
  const dimensions = samples[0].length
  const mean = Array.from({ length: dimensions }, () => 0)
  for (const sample of samples) sample.forEach((value, i) => (mean[i] += value / samples.length))
  const variance = mean.map(
    (m, i) =>
      samples.reduce((sum, sample) => sum + (sample[i] - m) ** 2, 0) / samples.length + regularization,
  )
  const means = [[...samples[random.integer(samples.length)]]]
  const distances = new Float64Array(samples.length).fill(Infinity)
  while (means.length < components) {
    const latest = means[means.length - 1]
    let total = 0
    samples.forEach((sample, n) => {
      const distance = sample.reduce((sum, value, i) => sum + (value - latest[i]) ** 2 / variance[i], 0)
      distances[n] = Math.min(distances[n], distance)
      total += distances[n]
    })
    let left = random.uniform() * total
    let chosen = 0
    while (chosen < samples.length - 1 && left > distances[chosen]) left -= distances[chosen++]
    means.push([...samples[chosen]])
  }
  const share = 1 / components ** (2 / dimensions)
  return {
    weights: means.map(() => 1 / components),
    means,
    covariances: means.map(() => square(dimensions, (i, j) => (i === j ? variance[i] * share : 0))),
  }
}

const square = (size: number, value: (i: number, j: number) => number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_unused, j) => value(i, j)))

function cholesky(matrix: number[][]): number[][] {
  const factor = matrix.map((row) => row.map(() => 0))
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j]
      for (let k = 0; k < j; k++) sum -= factor[i][k] * factor[j][k]
      if (i === j && !(sum > 0)) {
        throw new ValueError(`Gaussian mixture: a covariance is not positive definite (pivot ${sum})`)
      }
      factor[i][j] = i === j ? Math.sqrt(sum) : sum / factor[j][j]
    }
  }
  return factor
}
