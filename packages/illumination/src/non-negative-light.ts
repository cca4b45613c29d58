import { assertInRange, ShapeError, ValueError } from '@facekit/core'
import { sphereDirections } from './sphere-directions.js'
import { sphericalHarmonicsAt } from './spherical-harmonics-at.js'
import { solveSymmetric } from './solve-symmetric.js'

/** Options of `nonNegativeLight`. */
export interface NonNegativeLightOptions {
  /** The least light that any normal gets, as a share of the mean over the normals that the camera sees: walls send some of it back.
   * 0 to 0.5. Default 0.04. */
  ambient?: number
}

// Three bands cannot hold a narrow lamp: what is fitted to the normals that a picture shows swings below zero and far above
// everything seen elsewhere. Windows on the bands (Sloan, "Deringing Spherical Harmonics", SIGGRAPH Asia 2017 Technical Briefs) cure that, but change what
// was seen, too. Here least squares keep the seen half, and the other half gives way.
const DIRECTIONS = sphereDirections(400)
const BASIS = DIRECTIONS.map(([x, y, z]) => sphericalHarmonicsAt(x, y, z))
/** The surface of a face shows the camera an area that goes with the cosine; behind there is nothing to keep but the size. */
const TRUST = DIRECTIONS.map(([, , z]) => Math.max(z, 0.02))
const isSeen = DIRECTIONS.map(([, , z]) => z > 0.1)
/** Light from behind may be stronger than any that is seen, within reason. */
const CEILING = 1.5
const ROUNDS = 12

/** The light nearest to the given one that is possible: no normal of the sphere gets less than a little light, none much more than the brightest
 * that the camera sees. What faces the camera (+z) keeps its light as far as that goes; light that is possible is returned as it is.
 *
 * Minimises sum_d w_d (E'(d) - E(d))^2 over 400 directions d, w_d = max(z, 0.02), so that a <= E'(d) <= b for all of them; each channel for
 * itself.
 *
 * @param coefficients - 27 numbers, `[9, 3]` row by row, linear RGB, as of `shadeDiffuse`
 * @returns 27 numbers
 * @throws {ShapeError} when there are not 27 numbers
 * @throws {ValueError} when one is not finite, or `ambient` is not in 0..0.5
 * @example
 * nonNegativeLight(light) // E(n) > 0 for every n, unless the seen half was black
 */
export function nonNegativeLight(
  coefficients: ArrayLike<number>,
  options: NonNegativeLightOptions = {},
): Float64Array {
  const { ambient = 0.04 } = options
  assertInRange('nonNegativeLight: ambient', ambient, 0, 0.5)
  if (coefficients?.length !== 27)
    throw new ShapeError(`nonNegativeLight: coefficients has ${coefficients?.length} numbers, expected 27`)
  const result = Float64Array.from(coefficients)
  if (!result.every(Number.isFinite))
    throw new ValueError(`nonNegativeLight: coefficients are ${result.join(', ')}, expected finite numbers`)
  for (let c = 0; c < 3; c++) {
    const channel = possibleChannel(
      Float64Array.from({ length: 9 }, (_, i) => result[3 * i + c]),
      ambient,
    )
    for (let i = 0; i < 9; i++) result[3 * i + c] = channel[i]
  }
  return result
}

const irradiance = (channel: Float64Array, basis: readonly number[]) =>
  basis.reduce((sum, value, i) => sum + value * channel[i], 0)

function possibleChannel(given: Float64Array, ambient: number): Float64Array {
  const wanted = BASIS.map((basis) => irradiance(given, basis))
  let [seen, weight, brightest] = [0, 0, 0]
  for (const [d, value] of wanted.entries()) {
    if (!isSeen[d]) continue
    // A negative part of what is seen counts as dark.
    seen += TRUST[d] * Math.max(value, 0)
    weight += TRUST[d]
    brightest = Math.max(brightest, value)
  }
  const mean = seen / weight
  const [floor, ceiling] = [ambient * mean, CEILING * brightest]
  const fits = (value: number) => value >= floor - 1e-12 && value <= ceiling + 1e-12
  if (wanted.every(fits)) return given
  if (mean === 0) return new Float64Array(9)
  let channel = given
  for (let round = 0, penalty = 1; round < ROUNDS; round++, penalty *= 2) {
    const normal = Array.from({ length: 9 }, () => new Float64Array(9))
    const right = new Float64Array(9)
    for (const [d, basis] of BASIS.entries()) {
      const value = irradiance(channel, basis)
      const outside = value < floor || value > ceiling
      // Once outside, a direction is drawn to the bound.
      const w = TRUST[d] + (outside ? penalty : 0)
      const target = (TRUST[d] * wanted[d] + (outside ? penalty * (value < floor ? floor : ceiling) : 0)) / w
      for (let i = 0; i < 9; i++) {
        right[i] += w * basis[i] * target
        for (let j = 0; j <= i; j++) normal[i][j] += w * basis[i] * basis[j]
      }
    }
    channel = solveSymmetric(normal, right)
  }
  return withinBounds(channel, floor, ceiling)
}

/** What penalties leave outside is drawn to the mean, all of the light together. */
function withinBounds(channel: Float64Array, floor: number, ceiling: number): Float64Array {
  const mean = Math.min(Math.max(channel[0] * BASIS[0][0], floor), ceiling)
  let share = 1
  for (const basis of BASIS) {
    const away = irradiance(channel, basis) - channel[0] * BASIS[0][0]
    if (mean + share * away < floor) share = (floor - mean) / away
    if (mean + share * away > ceiling) share = (ceiling - mean) / away
  }
  return channel.map((value, i) => (i === 0 ? mean / BASIS[0][0] : share * value))
}
