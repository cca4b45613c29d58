import type { Tensor } from '@tensorflow/tfjs-core'
import { assertParameters } from './assert-parameters.js'
import type { FaceParameters, FaceParametersInput } from './face-parameters.js'
import { parameterParts } from './parameter-parts.js'
import { buildParameters, partOf } from './parameter-tree.js'

/** All tensors of a set of parameters, in the order of {@link parameterParts}. */
export const parameterTensors = (parameters: FaceParametersInput): Tensor[] =>
  parameterParts.map((part) => partOf(parameters, part))

/** Parameters of their tensors, the reverse of {@link parameterTensors}.
 *
 * @throws {ShapeError} when there are too few tensors, or one does not have the shape of its part
 */
export function parametersFromTensors(tensors: readonly Tensor[]): FaceParameters {
  const next = tensors.values()
  const parameters = buildParameters(() => next.next().value as Tensor)
  assertParameters('parametersFromTensors', parameters)
  return parameters
}

/** Frees the memory of a set of parameters. */
export function disposeParameters(parameters: FaceParametersInput): void {
  for (const tensor of parameterTensors(parameters)) tensor.dispose()
}
