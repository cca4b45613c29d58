import { ValueError, assertInRange, assertInteger, createRandom } from '@facekit/core'
import type { ParameterLayout } from '@facekit/parameters'
import { tensor2d, type Tensor2D } from '@tensorflow/tfjs-core'

/** Options of `sampleCoefficients`. */
export interface SampleOptions {
  /** B, at least 1. Default 1. */
  batch?: number
  /** A whole number from 0 to 2^32 - 1. Default 0. */
  seed?: number
  /** Standard deviation of the coefficients, at least 0: less than 1 gives faces nearer to the mean. Default 1. */
  deviation?: number
  /** `model.shape.expressionRange`: expressions are drawn with a third of the range as deviation, and cut to it, so that for
   * [0, 1] half of them rest. Default: normally distributed. */
  expressionRange?: readonly [number, number]
}

/** Draws coefficients of random faces: the same numbers for the same seed on every machine.
 *
 * @param layout - `model.layout`
 * @returns identity `[B, Ki]`, expression `[B, Ke]`, albedo `[B, Kt]`
 * @differentiable nothing
 * @memory the caller owns the results
 * @throws {ValueError} when an option is out of range
 */
export function sampleCoefficients(
  layout: ParameterLayout,
  options: SampleOptions = {},
): { identity: Tensor2D; expression: Tensor2D; albedo: Tensor2D } {
  const { batch = 1, seed = 0, deviation = 1, expressionRange } = options
  assertInteger('sampleCoefficients: batch', batch, 1)
  assertInRange('sampleCoefficients: deviation', deviation, 0)
  for (const key of ['identity', 'expression', 'albedo'] as const) {
    assertInteger(`sampleCoefficients: layout.${key}`, layout?.[key], 0)
  }
  if (expressionRange && !(expressionRange[0] < expressionRange[1])) {
    throw new ValueError(
      `sampleCoefficients: expressionRange is [${expressionRange.join(', ')}], expected [minimum, maximum]`,
    )
  }
  const random = createRandom(seed)
  const draw = (count: number, next: () => number) =>
    tensor2d(Float32Array.from({ length: batch * count }, next), [batch, count])
  const normal = () => random.normal(0, deviation)
  const ranged = ([minimum, maximum]: readonly [number, number]) => {
    const value = random.normal(0, (deviation * (maximum - minimum)) / 3)
    return Math.min(maximum, Math.max(minimum, value))
  }
  const identity = draw(layout.identity, normal)
  const expression = draw(layout.expression, expressionRange ? () => ranged(expressionRange) : normal)
  return { identity, expression, albedo: draw(layout.albedo, normal) }
}
