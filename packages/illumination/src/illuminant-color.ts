import { assertInRange } from '@facekit/core'

/** Colour of natural light of a correlated colour temperature: a glowing body below 4000 K (candle 1900, tungsten 2800), daylight above 5000 K (sun 5500,
 * overcast 6500, blue sky 10000), and between them from the one to the other.
 *
 * Chromaticities by the cubics of Kim et al. (US patent 7024034, 2006) for Planck's locus and by CIE 15 for daylight; XYZ to linear
 * RGB by IEC 61966-2-1, whose white is 6500 K.
 *
 * @param kelvin - 1700 to 25000
 * @returns linear RGB of luminance 1; a channel outside of the gamut is 0
 * @throws {ValueError} when `kelvin` is outside of its range
 * @example
 * illuminantColor(6504) // 1.00 1.00 1.00, within 0.01
 * illuminantColor(2800) // about 2.0 0.82 0.18
 */
export function illuminantColor(kelvin: number): [red: number, green: number, blue: number] {
  assertInRange('illuminantColor: kelvin', kelvin, 1700, 25_000)
  const daylight = Math.min(Math.max((kelvin - 4000) / 1000, 0), 1)
  const [px, py] = planckian(kelvin)
  const [dx, dy] = daylight > 0 ? cieDaylight(kelvin) : [px, py]
  const x = px + daylight * (dx - px)
  const y = py + daylight * (dy - py)
  const [bigX, bigZ] = [x / y, (1 - x - y) / y]
  const rgb = [
    3.2406 * bigX - 1.5372 - 0.4986 * bigZ,
    -0.9689 * bigX + 1.8758 + 0.0415 * bigZ,
    0.0557 * bigX - 0.204 + 1.057 * bigZ,
  ].map((value) => Math.max(value, 0))
  const luminance = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
  return rgb.map((value) => value / luminance) as [number, number, number]
}

/** Coefficients of t^3 ... 1. */
const cubic = ([a, b, c, d]: readonly number[], t: number) => ((a * t + b) * t + c) * t + d

function planckian(kelvin: number): [x: number, y: number] {
  const mired = 1e3 / kelvin
  const x =
    kelvin < 4000
      ? cubic([-0.2661239, -0.2343589, 0.8776956, 0.17991], mired)
      : cubic([-3.0258469, 2.1070379, 0.2226347, 0.24039], mired)
  const y =
    kelvin < 2222
      ? cubic([-1.1063814, -1.3481102, 2.18555832, -0.20219683], x)
      : kelvin < 4000
        ? cubic([-0.9549476, -1.37418593, 2.09137015, -0.16748867], x)
        : cubic([3.081758, -5.8733867, 3.75112997, -0.37001483], x)
  return [x, y]
}

function cieDaylight(kelvin: number): [x: number, y: number] {
  const mired = 1e3 / kelvin
  const x =
    kelvin < 7000
      ? cubic([-4.607, 2.9678, 0.09911, 0.244063], mired)
      : cubic([-2.0064, 1.9018, 0.24748, 0.23704], mired)
  return [x, -3 * x * x + 2.87 * x - 0.275]
}
