import {
  type FaceParameters,
  type ParameterLayout,
  type ParameterName,
  parameterParts,
  parametersFromTensors,
  partOf,
  partShape,
  partStart,
  unpackParameters,
} from '@facekit/parameters'
import {
  add,
  clipByValue,
  exp,
  mul,
  softplus,
  tanh,
  tensor,
  tidy,
  type Rank,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs-core'

/** What of a face model the numbers of a regressor depend on beside their counts. */
export interface ParameterRanges {
  /** `model.shape.expressionRange`: from rest to full activation, `[0, 1]` for blendshapes. Without it: standard deviations, up to 4. */
  expressionRange?: readonly [number, number]
}

/** Coefficients of people are seldom farther from the mean than 3 standard deviations. */
const LARGEST_COEFFICIENT = 4
/** Share of its slope that a blendshape keeps outside of its range, so that it finds back. */
const OUTER_SLOPE = 0.1

/** Numbers for which softplus(x + shift) is `start` at x = 0. */
const shiftFor = (start: number) => Math.log(Math.expm1(start))

/** `slope * x` near 0, never beyond `limit`. */
const limited = (x: Tensor, slope: number, limit: number) => mul(tanh(mul(x, slope / limit)), limit)

/** Makes parameters of a face of what the last layer of a regressor gives. 0 is the mean face at rest, looking straight ahead, in white light
 * of irradiance 1: about the mean of aligned crops. One unit of the output is about as much as faces differ.
 *
 * | parameter | of output x | range |
 * |---|---|---|
 * | identity, albedo | 4 tanh(x / 4) | -4 to 4 standard deviations |
 * | expression, with a range | x; outside of the range with a tenth of the slope | open while it is trained; `predict` cuts it to the range |
 * | expression, without | 4 tanh(x / 4) | -4 to 4 standard deviations |
 * | rotation | pi/2 tanh(0.3 x / (pi/2)) | -90 to 90 degrees |
 * | translation | 200 tanh(20 x / 200) | -200 to 200 mm |
 * | scale | exp(0.7 tanh(0.1 x / 0.7)) | 0.5 to 2 |
 * | spherical harmonics | start + x / 2 | open |
 * | light position | start + 2000 tanh(300 x / 2000) | (0, 400, 1200) +- 2000 mm |
 * | light colour | softplus(x + c), 0.22 at 0 | above 0 |
 * | shininess | 1 + 14 softplus(x + c), 15 at 0 | above 1 |
 *
 * @param outputs - `[B, P]`, P = `parameterCount(layout)`
 * @differentiable outputs
 * @memory the caller owns the results
 * @throws {ShapeError} when P does not fit the layout
 */
export function parametersOfOutputs(
  outputs: Tensor2D,
  layout: ParameterLayout,
  { expressionRange }: ParameterRanges = {},
): FaceParameters {
  const coefficients = (x: Tensor) => limited(x, 1, LARGEST_COEFFICIENT)
  const ranges: Record<ParameterName, (x: Tensor, start: Tensor) => Tensor> = {
    identity: coefficients,
    expression: expressionRange ? (x) => leakyClip(x, expressionRange) : coefficients,
    albedo: coefficients,
    rotation: (x) => limited(x, 0.3, Math.PI / 2),
    translation: (x) => limited(x, 20, 200),
    scale: (x) => exp(limited(x, 0.1, 0.7)),
    sphericalHarmonics: (x, start) => add(mul(x, 0.5), start),
    lightPosition: (x, start) => add(limited(x, 300, 2000), start),
    lightColor: (x) => softplus(add(x, shiftFor(0.22))),
    shininess: (x) => add(mul(softplus(add(x, shiftFor(1))), 14), 1),
  }
  const tensors = tidy(() => {
    const raw = unpackParameters(outputs, layout)
    return parameterParts.map((part) => {
      const start = tensor<Rank>(partStart(part, layout), [1, ...partShape(part, layout)])
      return ranges[part.name](partOf(raw, part), start)
    })
  })
  return parametersFromTensors(tensors)
}

function leakyClip(x: Tensor, [lowest, highest]: readonly [number, number]): Tensor {
  return add(mul(clipByValue(x, lowest, highest), 1 - OUTER_SLOPE), mul(x, OUTER_SLOPE))
}

/** The same parameters with expressions inside of their range. */
export function cutExpression(
  parameters: FaceParameters,
  { expressionRange }: ParameterRanges,
): FaceParameters {
  if (!expressionRange) return parameters
  const [lowest, highest] = expressionRange
  const expression = clipByValue(parameters.expression, lowest, highest)
  parameters.expression.dispose()
  return { ...parameters, expression }
}
