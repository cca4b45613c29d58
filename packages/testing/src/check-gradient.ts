import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '@facekit/core'

/** Options of `checkGradient`. */
export interface CheckGradientOptions {
  /** Step of the central difference, in units of the input. Default 1e-2. */
  step?: number
  /** Relative tolerance. Default 1e-2. */
  relativeTolerance?: number
  /** Absolute tolerance, relative to the norm of the gradient: a direction may be nearly orthogonal to it. Default 1e-3. */
  absoluteTolerance?: number
  /** Number of random directions for each input. Default 3. */
  directions?: number
  /** Seed of the directions. Default 1. */
  seed?: number
}

/** Compares tfjs' gradient of a function with central differences along random unit directions, one input at a time.
 *
 * The function may have any output: it is reduced to a scalar by a fixed random projection first, which is also what makes
 * wrong transposes visible that a plain sum would hide.
 *
 * @throws {Error} that names the input, the direction, and both numbers, when they differ
 */
export async function checkGradient(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  options: CheckGradientOptions = {},
): Promise<void> {
  const {
    step = 1e-2,
    relativeTolerance = 1e-2,
    absoluteTolerance = 1e-3,
    directions = 3,
    seed = 1,
  } = options
  const random = createRandom(seed)
  const normals = (shape: number[]) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1)
    return tf.tensor(
      Float32Array.from({ length: size }, () => random.normal()),
      shape,
    )
  }
  const probe = tf.tidy(() => f(...inputs))
  const projection = normals(probe.shape)
  probe.dispose()
  const scalar = (...arguments_: tf.Tensor[]) =>
    tf.tidy(() => tf.sum(tf.mul(f(...arguments_), projection)) as tf.Scalar)
  // The sum in float64: a float32 sum over a picture would drown the difference in rounding.
  const evaluate = async (arguments_: tf.Tensor[]) => {
    const output = tf.tidy(() => f(...arguments_))
    const [values, weights] = await Promise.all([output.data(), projection.data()])
    output.dispose()
    let total = 0
    for (let i = 0; i < values.length; i++) total += values[i] * weights[i]
    return total
  }
  const gradients = tf.grads(scalar)(inputs)
  try {
    for (const [index, input] of inputs.entries()) {
      const gradient = await gradients[index].data()
      const norm = Math.hypot(...chunkNorms(gradient))
      if (!Number.isFinite(norm))
        throw new Error(`checkGradient: the gradient of input ${index} is not finite`)
      for (let k = 0; k < directions; k++) {
        const direction = Float32Array.from({ length: input.size }, () => random.normal())
        const length = Math.hypot(...chunkNorms(direction))
        for (let i = 0; i < direction.length; i++) direction[i] /= length
        let analytic = 0
        for (let i = 0; i < direction.length; i++) analytic += direction[i] * gradient[i]
        const at = async (sign: number) => {
          const moved = tf.tidy(() => tf.add(input, tf.mul(tf.tensor(direction, input.shape), sign * step)))
          const value = await evaluate(inputs.map((other, i) => (i === index ? moved : other)))
          moved.dispose()
          return value
        }
        const numeric = ((await at(1)) - (await at(-1))) / (2 * step)
        const tolerance = relativeTolerance * Math.abs(numeric) + absoluteTolerance * Math.max(norm, 1e-6)
        if (!(Math.abs(numeric - analytic) <= tolerance)) {
          throw new Error(
            `checkGradient: input ${index}, direction ${k}: gradient gives ${analytic}, central difference ${numeric} (tolerance ${tolerance})`,
          )
        }
      }
    }
  } finally {
    tf.dispose([projection, ...gradients])
  }
}

/** Norms of chunks: Math.hypot cannot take a million arguments. */
function chunkNorms(values: ArrayLike<number>): number[] {
  const norms: number[] = []
  for (let start = 0; start < values.length; start += 4096) {
    let total = 0
    for (let i = start; i < Math.min(values.length, start + 4096); i++) total += values[i] * values[i]
    norms.push(Math.sqrt(total))
  }
  return norms
}
