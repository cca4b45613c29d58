/** Unit normals of vertices: the normals of their triangles, weighted by area. A vertex without a triangle gets +z. */
export function meshNormals(vertices: Float32Array, triangles: Int32Array): Float32Array {
  const normals = new Float32Array(vertices.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const [ux, uy, uz] = [0, 1, 2].map((i) => vertices[b + i] - vertices[a + i])
    const [vx, vy, vz] = [0, 1, 2].map((i) => vertices[c + i] - vertices[a + i])
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (const corner of [a, b, c]) for (let i = 0; i < 3; i++) normals[corner + i] += normal[i]
  }
  for (let v = 0; v < normals.length; v += 3) {
    const length = Math.hypot(normals[v], normals[v + 1], normals[v + 2])
    if (length > 0) for (let i = 0; i < 3; i++) normals[v + i] /= length
    else normals[v + 2] = 1
  }
  return normals
}
