import type { Surface } from '@facekit/mesh'

/** Where the outside of a part of a surface faces: the sum of its triangles' normals, each as long as twice their area. What faces both ways, as the
 * inside of a mouth, cancels out.
 *
 * @param center - of a ball that the part's triangles begin in
 */
export function frontDirection(
  { positions, triangles }: Surface,
  center: ArrayLike<number>,
  radius: number,
): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0]
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const [x, y, z] = [positions[a], positions[a + 1], positions[a + 2]]
    if (Math.hypot(x - center[0], y - center[1], z - center[2]) > radius) continue
    const [ux, uy, uz] = [positions[b] - x, positions[b + 1] - y, positions[b + 2] - z]
    const [vx, vy, vz] = [positions[c] - x, positions[c + 1] - y, positions[c + 2] - z]
    sum[0] += uy * vz - uz * vy
    sum[1] += uz * vx - ux * vz
    sum[2] += ux * vy - uy * vx
  }
  return sum
}

/** Cosine of the angle between two directions; 0 where one has no length. */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const product = Math.hypot(a[0], a[1], a[2]) * Math.hypot(b[0], b[1], b[2])
  return product > 0 ? (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / product : 0
}
