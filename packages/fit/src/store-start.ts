import { assertShape } from '@facekit/core'
import type { FaceParameters, ParameterLayout } from '@facekit/parameters'
import type { FaceUnknowns } from './face-unknowns.js'

type Block = Parameters<FaceUnknowns['range']>[0]

/** Writes given parameters into the unknowns; several photographs of one person share the mean of identity and albedo.
 *
 * @throws {ShapeError} when the parameters do not fit the model, or the number of photographs
 */
export async function storeStart(
  values: Float64Array,
  unknowns: FaceUnknowns,
  parameters: FaceParameters,
  layout: ParameterLayout,
  batch: number,
): Promise<void> {
  const { pose, illumination } = parameters
  const plain = (value: number) => value
  const parts: [
    Block,
    { shape: number[]; data(): Promise<ArrayLike<number>> },
    number,
    (x: number) => number,
  ][] = [
    ['identity', parameters.identity, layout.identity, plain],
    ['albedo', parameters.albedo, layout.albedo, plain],
    ['expression', parameters.expression, layout.expression, plain],
    ['rotation', pose.rotation, 3, plain],
    ['translation', pose.translation, 3, plain],
    ['logScale', pose.scale, 1, Math.log],
    ['sphericalHarmonics', illumination.sphericalHarmonics, 27, plain],
    ['lightPosition', illumination.lightPosition, 3, plain],
    // A light that is out altogether could never be turned on again.
    ['logLightColor', illumination.lightColor, 3, (x) => Math.log(Math.max(x, 1e-3))],
    ['logShininess', illumination.shininess, 1, (x) => Math.log(Math.max(x - 1, 1e-2))],
  ]
  for (const [name, tensor, width, encode] of parts) {
    const shape = name === 'sphericalHarmonics' ? [batch, 9, 3] : [batch, width]
    assertShape(`fitFace: start: ${name}`, tensor, shape, {}, 'one row for each photograph, of this model')
    const numbers = await tensor.data()
    const shared = name === 'identity' || name === 'albedo'
    for (let picture = 0; picture < batch; picture++) {
      const [first] = unknowns.range(name, picture)
      for (let k = 0; k < width; k++) {
        const value = encode(numbers[picture * width + k])
        if (shared) values[first + k] += value / batch
        else values[first + k] = value
      }
    }
  }
}
