import { luminance } from './luminance.js'

/** Gives colours the hues of others, and keeps their luminance: a black-and-white photograph has none of its own. In place.
 *
 * @param color - `[P * 3]` linear RGB
 * @param other - like `color`
 */
export function colorLike(color: Float32Array, other: Float32Array): void {
  for (let at = 0; at < color.length; at += 3) {
    const own = luminance(color, at)
    const factor = own / Math.max(luminance(other, at), 1e-3)
    for (let c = 0; c < 3; c++) color[at + c] = Math.min(factor * other[at + c], 1)
  }
}
