/** Turns, radians, between which a shading map loses its place. */
const [STILL, LOST] = [Math.PI / 18, Math.PI / 3]

/** How much of a photograph's shading map (cast shadows and all that its fitted light does not know, a factor of the irradiance over UV) still holds when the light is turned
 * against the face: the map is to be raised to this power. 1 up to 10 degrees, 0 from 60.
 *
 * @param angle - of the turn, radians
 */
export function shadingShare(angle: number): number {
  const t = Math.min(Math.max((Math.abs(angle) - STILL) / (LOST - STILL), 0), 1)
  return 1 - t * t * (3 - 2 * t)
}
