const { PI, sqrt } = Math

/** Factors of the nine real spherical harmonics, on 1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2. */
export const HARMONIC_FACTORS: readonly number[] = [
  0.5 / sqrt(PI),
  sqrt(3 / (4 * PI)),
  sqrt(3 / (4 * PI)),
  sqrt(3 / (4 * PI)),
  0.5 * sqrt(15 / PI),
  0.5 * sqrt(15 / PI),
  0.25 * sqrt(5 / PI),
  0.5 * sqrt(15 / PI),
  0.25 * sqrt(15 / PI),
]
