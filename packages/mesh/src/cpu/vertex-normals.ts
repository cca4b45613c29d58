type Numbers = Float32Array | Int32Array

/** Writes normals, and the lengths that they had before they were made unit. */
export function normalsForward(
  arrays: { positions: Numbers; triangles: Int32Array; batch: number; count: number },
  normals: Numbers,
  lengths: Numbers,
): void {
  const { positions, triangles, batch, count } = arrays
  normals.fill(0)
  for (let b = 0; b < batch; b++) {
    const first = b * count
    for (let t = 0; t < triangles.length; t += 3) {
      const i = (first + triangles[t]) * 3
      const j = (first + triangles[t + 1]) * 3
      const k = (first + triangles[t + 2]) * 3
      const x = positions[i]
      const y = positions[i + 1]
      const z = positions[i + 2]
      const ax = positions[j] - x
      const ay = positions[j + 1] - y
      const az = positions[j + 2] - z
      const bx = positions[k] - x
      const by = positions[k + 1] - y
      const bz = positions[k + 2] - z
      const nx = ay * bz - az * by
      const ny = az * bx - ax * bz
      const nz = ax * by - ay * bx
      normals[i] += nx
      normals[i + 1] += ny
      normals[i + 2] += nz
      normals[j] += nx
      normals[j + 1] += ny
      normals[j + 2] += nz
      normals[k] += nx
      normals[k + 1] += ny
      normals[k + 2] += nz
    }
  }
  for (let v = 0; v < lengths.length; v++) {
    const i = v * 3
    const length = Math.sqrt(normals[i] ** 2 + normals[i + 1] ** 2 + normals[i + 2] ** 2)
    lengths[v] = length
    const factor = length > 0 ? 1 / length : 0
    normals[i] *= factor
    normals[i + 1] *= factor
    normals[i + 2] *= factor
  }
}

/** Gradient of `normalsForward` with respect to the positions.
 *
 * With h the sum of the corners' gradients of the unscaled normal (b - a) x (c - a), the corner a receives (b - c) x h, and
 * b and c the same with the letters rotated.
 */
export function normalsBackward(
  arrays: {
    gradient: Float32Array
    positions: Float32Array
    normals: Float32Array
    lengths: Float32Array
    triangles: Int32Array
    batch: number
    count: number
    /** Room for as many numbers as `gradient` has, all 0. */
    unscaled: Float32Array
  },
  result: Numbers,
): void {
  const { gradient, positions, normals, lengths, triangles, batch, count, unscaled } = arrays
  result.fill(0)
  for (let v = 0; v < lengths.length; v++) {
    if (!(lengths[v] > 0)) continue
    const i = v * 3
    const along =
      gradient[i] * normals[i] + gradient[i + 1] * normals[i + 1] + gradient[i + 2] * normals[i + 2]
    for (let c = i; c < i + 3; c++) unscaled[c] = (gradient[c] - along * normals[c]) / lengths[v]
  }
  for (let b = 0; b < batch; b++) {
    const first = b * count
    for (let t = 0; t < triangles.length; t += 3) {
      const i = (first + triangles[t]) * 3
      const j = (first + triangles[t + 1]) * 3
      const k = (first + triangles[t + 2]) * 3
      const hx = unscaled[i] + unscaled[j] + unscaled[k]
      const hy = unscaled[i + 1] + unscaled[j + 1] + unscaled[k + 1]
      const hz = unscaled[i + 2] + unscaled[j + 2] + unscaled[k + 2]
      const ax = positions[j] - positions[k]
      const ay = positions[j + 1] - positions[k + 1]
      const az = positions[j + 2] - positions[k + 2]
      const bx = positions[k] - positions[i]
      const by = positions[k + 1] - positions[i + 1]
      const bz = positions[k + 2] - positions[i + 2]
      const cx = positions[i] - positions[j]
      const cy = positions[i + 1] - positions[j + 1]
      const cz = positions[i + 2] - positions[j + 2]
      result[i] += ay * hz - az * hy
      result[i + 1] += az * hx - ax * hz
      result[i + 2] += ax * hy - ay * hx
      result[j] += by * hz - bz * hy
      result[j + 1] += bz * hx - bx * hz
      result[j + 2] += bx * hy - by * hx
      result[k] += cy * hz - cz * hy
      result[k + 1] += cz * hx - cx * hz
      result[k + 2] += cx * hy - cy * hx
    }
  }
}
