/** A third of the area of the triangles around each vertex, mm^2. */
export function controlArea(positions: Float64Array, triangles: readonly number[]): Float64Array {
  const area = new Float64Array(positions.length / 3)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t], triangles[t + 1], triangles[t + 2]].map((i) =>
      positions.subarray(i * 3, i * 3 + 3),
    )
    const u = b.map((value, k) => value - a[k])
    const v = c.map((value, k) => value - a[k])
    const third =
      Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]) / 6
    for (let k = 0; k < 3; k++) area[triangles[t + k]] += third
  }
  return area
}
