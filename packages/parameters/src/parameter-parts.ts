import { assertInteger } from '@facekit/core'
import type { Illumination, ParameterLayout, Pose } from './face-parameters.js'
import { defaultLightPosition, whiteLight } from './light.js'

/** Name of one part of {@link FaceParameters}. */
export type ParameterName = keyof ParameterLayout | keyof Pose | keyof Illumination

/** One row of {@link parameterParts}. */
export interface ParameterPart {
  readonly name: ParameterName
  /** Member of {@link FaceParameters} that holds the part; without it the part is a member itself. */
  readonly group?: 'pose' | 'illumination'
  /** Shape for one face, without the batch dimension; a name stands for that count of the layout. */
  readonly shape: readonly (number | keyof ParameterLayout)[]
  readonly unit: string
  /** Value of a neutral face: one for each element, or one for all of them. */
  readonly start: number | readonly number[]
  /** Values are not below this one; optimisers move the logarithm of the distance from it. Without it: any value. */
  readonly least?: number
  /** How parameters.json holds the part: a list, a list of rows, or a single number. */
  readonly encoding: 'list' | 'rows' | 'number'
}

const white = Array.from({ length: 27 }, (_, i) => (i < 3 ? whiteLight : 0))

/** The parts of {@link FaceParameters}, in the order of a packed vector. Whatever walks over parameters (packing, shape checks, the unknowns of
 * a fit, the ranges of a regressor, files) walks over this table; a new part is a new row, and the compiler names each place
 * that has to know more of it.
 */
export const parameterParts = [
  { name: 'identity', shape: ['identity'], unit: 'standard deviations', start: 0, encoding: 'list' },
  { name: 'expression', shape: ['expression'], unit: 'standard deviations', start: 0, encoding: 'list' },
  { name: 'albedo', shape: ['albedo'], unit: 'standard deviations', start: 0, encoding: 'list' },
  { name: 'rotation', group: 'pose', shape: [3], unit: 'radians', start: 0, encoding: 'list' },
  { name: 'translation', group: 'pose', shape: [3], unit: 'mm', start: 0, encoding: 'list' },
  { name: 'scale', group: 'pose', shape: [1], unit: 'factor', start: 1, least: 0, encoding: 'number' },
  {
    name: 'sphericalHarmonics',
    group: 'illumination',
    shape: [9, 3],
    unit: 'linear RGB',
    start: white,
    encoding: 'rows',
  },
  {
    name: 'lightPosition',
    group: 'illumination',
    shape: [3],
    unit: 'mm',
    start: defaultLightPosition,
    encoding: 'list',
  },
  {
    name: 'lightColor',
    group: 'illumination',
    shape: [3],
    unit: 'linear RGB',
    start: 1,
    least: 0,
    encoding: 'list',
  },
  {
    name: 'shininess',
    group: 'illumination',
    shape: [1],
    unit: 'exponent',
    start: 20,
    least: 1,
    encoding: 'number',
  },
] as const satisfies readonly ParameterPart[]

/** Where a part is found: `pose.scale`. */
export const parameterPath = ({ group, name }: ParameterPart): string => (group ? `${group}.${name}` : name)

/** Shape of a part for one face, without the batch dimension.
 *
 * @example
 * partShape(parameterParts[6], layout) // [9, 3]
 */
export const partShape = ({ shape }: ParameterPart, layout: ParameterLayout): number[] =>
  shape.map((length) => (typeof length === 'number' ? length : layout[length]))

/** How many numbers a part has for one face. */
export const partSize = (part: ParameterPart, layout: ParameterLayout): number =>
  partShape(part, layout).reduce((product, length) => product * length, 1)

/** How many numbers a part has for one face, where that does not depend on a layout; undefined for coefficients. */
export function constantPartSize({ shape }: ParameterPart): number | undefined {
  let size = 1
  for (const length of shape) {
    if (typeof length === 'string') return undefined
    size *= length
  }
  return size
}

/** The numbers of a part for a neutral face. */
export function partStart(part: ParameterPart, layout: ParameterLayout): number[] {
  const { start } = part
  return Array.from({ length: partSize(part, layout) }, (_, i) =>
    typeof start === 'number' ? start : start[i],
  )
}

/** Checks that a layout holds three counts.
 *
 * @throws {ValueError} that names the count which is no whole number of at least 0
 */
export function assertLayout(who: string, layout: ParameterLayout): void {
  for (const key of ['identity', 'expression', 'albedo'] as const) {
    assertInteger(`${who}: layout.${key}`, layout?.[key], 0)
  }
}
