import type { Tensor } from '@tensorflow/tfjs-core'
import type { FaceParameters } from './face-parameters.js'

/** All tensors of a set of parameters, in the order of `packParameters`. */
export function parameterTensors({
  identity,
  expression,
  albedo,
  pose,
  illumination,
}: FaceParameters): Tensor[] {
  return [
    identity,
    expression,
    albedo,
    pose.rotation,
    pose.translation,
    pose.scale,
    illumination.sphericalHarmonics,
    illumination.lightPosition,
    illumination.lightColor,
    illumination.shininess,
  ]
}

/** Frees the memory of a set of parameters. */
export function disposeParameters(parameters: FaceParameters): void {
  for (const tensor of parameterTensors(parameters)) tensor.dispose()
}
