/** Directions spread evenly over the sphere: a spiral with the golden angle between neighbours.
 *
 * @returns `count` vectors of unit length, from +z to -z
 */
export function sphereDirections(count: number): [x: number, y: number, z: number][] {
  const golden = Math.PI * (3 - Math.sqrt(5))
  return Array.from({ length: count }, (_, i) => {
    const z = 1 - (2 * i + 1) / count
    const radius = Math.sqrt(1 - z * z)
    return [radius * Math.cos(golden * i), radius * Math.sin(golden * i), z]
  })
}
