/** The coefficient of the constant spherical harmonic Y(0,0) = 1 / (2 sqrt(pi)) that makes light of irradiance 1. */
export const whiteLight: number = 2 * Math.sqrt(Math.PI)

/** Where the point light stands unless something else is known: above and behind the camera, x, y, z in mm, world space. */
export const defaultLightPosition: readonly [number, number, number] = [0, 400, 1200]
