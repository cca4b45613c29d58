const exponent = 1 / 2.2
const toe = 2 ** -14

/** The curve between linear colour and the encoded colour of pictures in 0..1: encoded = linear^exponent, from `toe` on.
 *
 * Below `toe` it is a straight line to 0 of slope `toeSlope`, because the slope of a power is infinite there; `encodedToe` is where the two
 * meet (less than 1 of 255 off).
 */
export const gammaCurve = Object.freeze({
  exponent,
  toe,
  toeSlope: toe ** (exponent - 1),
  encodedToe: toe ** exponent,
})
