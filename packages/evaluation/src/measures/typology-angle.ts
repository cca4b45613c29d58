import { ShapeError } from '@facekit/core'

/** Skin by its individual typology angle (Chardon 1991; Del Bino 2013), lightest first. */
export type SkinType = 'very light' | 'light' | 'intermediate' | 'tan' | 'brown' | 'dark'

/** Least angle of each type, degrees. */
const TYPES: readonly (readonly [SkinType, number])[] = [
  ['very light', 55],
  ['light', 41],
  ['intermediate', 28],
  ['tan', 10],
  ['brown', -30],
  ['dark', -Infinity],
]

/** Linear sRGB to CIE XYZ for D65, and the white of it. */
const TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
]
const WHITE = TO_XYZ.map((row) => row[0] + row[1] + row[2])

/** Individual typology angle of an albedo: `atan2(L* - 50, b*)` in CIE L*a*b* under D65, degrees; light skin has a large one.
 *
 * @param color - 3 numbers, linear RGB with the primaries of sRGB, 0..1
 * @throws {ShapeError} when there are not three
 */
export function typologyAngle(color: ArrayLike<number>): number {
  if (color.length !== 3) throw new ShapeError(`typologyAngle: color has ${color.length} numbers, expected 3`)
  const [, y, z] = TO_XYZ.map((row, i) =>
    companding((row[0] * color[0] + row[1] * color[1] + row[2] * color[2]) / WHITE[i]),
  )
  const lightness = 116 * y - 16
  const b = 200 * (y - z)
  return (Math.atan2(lightness - 50, b) * 180) / Math.PI
}

/** Which type an angle in degrees belongs to. */
export function skinTypeOf(angle: number): SkinType {
  return TYPES.find(([, least]) => angle > least)?.[0] ?? 'dark'
}

/** Individual typology angle error: absolute difference of the angles of each pair of colours, degrees (FAIR, Feng et al. 2022, takes its mean over
 * the pixels of a region).
 *
 * @param prediction - `[P * 3]` linear RGB
 * @param truth - `[P * 3]`
 * @returns `[P]`
 * @throws {ShapeError} when there are not as many
 */
export function typologyAngleError(prediction: ArrayLike<number>, truth: ArrayLike<number>): Float64Array {
  if (prediction.length !== truth.length)
    throw new ShapeError(
      `typologyAngleError: ${prediction.length / 3} colours for ${truth.length / 3}, expected as many`,
    )
  const angleAt = (colors: ArrayLike<number>, i: number) =>
    typologyAngle([colors[i * 3], colors[i * 3 + 1], colors[i * 3 + 2]])
  return Float64Array.from({ length: truth.length / 3 }, (_, i) =>
    Math.abs(angleAt(prediction, i) - angleAt(truth, i)),
  )
}

/** CIE's cube root, straight near 0. */
const companding = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29)
