/** Unit normals of vertices: the normals of their triangles, weighted by area. A vertex without a triangle gets +z. */
export function meshNormals(vertices: Float32Array, triangles: Int32Array): Float32Array {
  const normals = new Float32Array(vertices.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const ux = vertices[b] - vertices[a]
    const uy = vertices[b + 1] - vertices[a + 1]
    const uz = vertices[b + 2] - vertices[a + 2]
    const vx = vertices[c] - vertices[a]
    const vy = vertices[c + 1] - vertices[a + 1]
    const vz = vertices[c + 2] - vertices[a + 2]
    const x = uy * vz - uz * vy
    const y = uz * vx - ux * vz
    const z = ux * vy - uy * vx
    for (let corner = 0; corner < 3; corner++) {
      const at = corner === 0 ? a : corner === 1 ? b : c
      normals[at] += x
      normals[at + 1] += y
      normals[at + 2] += z
    }
  }
  for (let v = 0; v < normals.length; v += 3) {
    const length = Math.hypot(normals[v], normals[v + 1], normals[v + 2])
    if (length > 0) for (let i = 0; i < 3; i++) normals[v + i] /= length
    else normals[v + 2] = 1
  }
  return normals
}
