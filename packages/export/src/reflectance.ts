/** F0 of dielectrics at an index of refraction of 1.5, the one that programs assume. */
export const DIELECTRIC_F0 = 0.04
/** Diamond has 0.17: a specular albedo above it is no reflectance, but an index must be named. */
export const LARGEST_F0 = 0.5

/** The index of refraction at which a dielectric reflects so much at normal incidence: F0 = ((n - 1) / (n + 1))^2. */
export function indexOfRefraction(reflectance: number): number {
  const root = Math.sqrt(reflectance)
  return (1 + root) / (1 - root)
}

/** Mean of colours `[N * 3]`; what is below 0 counts as 0. */
export function meanColor(values: ArrayLike<number>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0]
  for (let i = 0; i < values.length; i++) sum[i % 3] += Math.max(values[i], 0)
  return sum.map((value) => (value * 3) / values.length) as [number, number, number]
}
