/** Harmonics of light of mean irradiance 1 on the seen half of a face, their means and deviations: 20,000 rooms of one to three lamps, most of them above
 * and in front (elevation 25 +- 25, azimuth 0 +- 70 degrees), with 20 to 80 % of the light, in front of a sky brighter than its ground. */
export const roomMeans = [3.1, 0.95, 0.35, 0, 0, 0.1, 0, 0, 0.04] as const
export const roomDeviations = [0.75, 0.6, 0.63, 0.76, 0.27, 0.24, 0.26, 0.28, 0.26] as const

/** Mean of the nine harmonics over normals that the camera sees, weighted by the area that it sees of them. */
export const seenHarmonics = [0.282095, 0, (0.488603 * 2) / 3, 0, 0, 0, 0.315392 / 2, 0, 0] as const

/** Deviations from the rooms' mean that a light may have before it is drawn back. */
const FARTHEST = 2

/** Draws light that no room has towards that of rooms, each channel for itself, until no harmonic is farther than two deviations from their mean; its mean on
 * the seen half of the face stays. In place.
 *
 * @param light - `[9 * 3]` linear RGB
 */
export function drawToRooms(light: Float64Array): void {
  for (let c = 0; c < 3; c++) {
    const mean = seenHarmonics.reduce<number>((sum, value, k) => sum + value * light[3 * k + c], 0)
    // All that is left of light that shines from behind only is its brightest part.
    const strength = Math.max(mean, 0.05 * Math.abs(light[c]), 1e-3)
    let farthest = 0
    for (let k = 0; k < 9; k++)
      farthest = Math.max(farthest, Math.abs(light[3 * k + c] / strength - roomMeans[k]) / roomDeviations[k])
    const share = Math.min(1, FARTHEST / farthest)
    for (let k = 0; k < 9; k++) {
      const relative = light[3 * k + c] / strength
      light[3 * k + c] = strength * (roomMeans[k] + share * (relative - roomMeans[k]))
    }
  }
}
