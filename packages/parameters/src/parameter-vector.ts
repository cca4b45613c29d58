import { concat, reshape, split, tidy, type Tensor2D, type Tensor3D } from '@tensorflow/tfjs-core'
import type { FaceParameters, ParameterLayout } from './face-parameters.js'
import { assertInteger, assertShape } from '@facekit/core'

/** One named part of a packed parameter vector. */
export interface ParameterSegment {
  name:
    | 'identity'
    | 'expression'
    | 'albedo'
    | 'rotation'
    | 'translation'
    | 'scale'
    | 'sphericalHarmonics'
    | 'lightPosition'
    | 'lightColor'
    | 'shininess'
  /** First column. */
  offset: number
  /** Number of columns. */
  size: number
}

/** The parts of a packed parameter vector, in their order.
 *
 * @throws {ValueError} when a count is not a whole number of at least 0
 * @example
 * parameterSegments({ identity: 80, expression: 64, albedo: 80 }).at(-1) // { name: 'shininess', offset: 261, size: 1 }
 */
export function parameterSegments(layout: ParameterLayout): ParameterSegment[] {
  for (const key of ['identity', 'expression', 'albedo'] as const) {
    assertInteger(`parameterSegments: layout.${key}`, layout?.[key], 0)
  }
  const sizes = {
    identity: layout.identity,
    expression: layout.expression,
    albedo: layout.albedo,
    rotation: 3,
    translation: 3,
    scale: 1,
    sphericalHarmonics: 27,
    lightPosition: 3,
    lightColor: 3,
    shininess: 1,
  }
  let offset = 0
  return Object.entries(sizes).map(([name, size]) => {
    const segment = { name: name as ParameterSegment['name'], offset, size }
    offset += size
    return segment
  })
}

/** Number of columns P of a packed parameter vector. */
export function parameterCount(layout: ParameterLayout): number {
  const last = parameterSegments(layout).at(-1)!
  return last.offset + last.size
}

/** Packs parameters side by side into one matrix.
 *
 * Order: identity, expression, albedo, rotation, translation, scale, spherical harmonics (row by row), light
 * position, light colour, shininess.
 *
 * @returns `[B, P]`, P = `parameterCount(layout)`
 * @differentiable every parameter
 * @memory the caller owns the result
 * @throws {ShapeError} when batch sizes differ or a part has the wrong width
 */
export function packParameters(parameters: FaceParameters): Tensor2D {
  const { pose, illumination } = parameters
  const known = {}
  const check = (name: string, tensor: Tensor2D, width: number | string) =>
    assertShape(`packParameters: ${name}`, tensor, ['B', width], known)
  check('identity', parameters.identity, 'Ki')
  check('expression', parameters.expression, 'Ke')
  check('albedo', parameters.albedo, 'Kt')
  check('pose.rotation', pose.rotation, 3)
  check('pose.translation', pose.translation, 3)
  check('pose.scale', pose.scale, 1)
  assertShape(
    'packParameters: illumination.sphericalHarmonics',
    illumination.sphericalHarmonics,
    ['B', 9, 3],
    known,
  )
  check('illumination.lightPosition', illumination.lightPosition, 3)
  check('illumination.lightColor', illumination.lightColor, 3)
  check('illumination.shininess', illumination.shininess, 1)
  return tidy(() => {
    const batch = parameters.identity.shape[0]
    const parts = [
      parameters.identity,
      parameters.expression,
      parameters.albedo,
      pose.rotation,
      pose.translation,
      pose.scale,
      reshape(illumination.sphericalHarmonics, [batch, 27]) as Tensor2D,
      illumination.lightPosition,
      illumination.lightColor,
      illumination.shininess,
    ]
    return concat(parts.filter((part) => part.shape[1] > 0) as Tensor2D[], 1)
  })
}

/** Takes a matrix of `packParameters`, or the output of a regressor, apart.
 *
 * @param vector - `[B, P]`, P = `parameterCount(layout)`
 * @differentiable vector
 * @memory the caller owns the results
 * @throws {ShapeError} when P does not fit the layout
 */
export function unpackParameters(vector: Tensor2D, layout: ParameterLayout): FaceParameters {
  assertShape('unpackParameters: vector', vector, ['B', parameterCount(layout)])
  const batch = vector.shape[0]
  const segments = parameterSegments(layout)
  // One split: its gradient is one concatenation, that of ten slices ten paddings and nine additions.
  const parts: Tensor2D[] = split(
    vector,
    segments.map(({ size }) => size),
    1,
  )
  const part = (name: ParameterSegment['name']): Tensor2D =>
    parts[segments.findIndex((segment) => segment.name === name)]
  const harmonics = part('sphericalHarmonics')
  const sphericalHarmonics = reshape(harmonics, [batch, 9, 3]) as Tensor3D
  harmonics.dispose()
  return {
    identity: part('identity'),
    expression: part('expression'),
    albedo: part('albedo'),
    pose: { rotation: part('rotation'), translation: part('translation'), scale: part('scale') },
    illumination: {
      sphericalHarmonics,
      lightPosition: part('lightPosition'),
      lightColor: part('lightColor'),
      shininess: part('shininess'),
    },
  }
}
