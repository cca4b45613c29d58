import { averageLandmarks } from './average-landmarks.js'

/** A ball as triangles, without the rows around its lower pole: `rows` circles of `columns` vertices, and the upper pole. */
function ball(rows: number, columns: number, reach: number) {
  const directions: number[] = [0, 1, 0]
  const triangles: number[] = []
  const at = (row: number, column: number) => 1 + row * columns + (column % columns)
  for (let row = 0; row < rows; row++) {
    const polar = ((row + 1) / (rows + 1)) * reach
    for (let column = 0; column < columns; column++) {
      const turn = (2 * Math.PI * column) / columns
      directions.push(Math.sin(polar) * Math.sin(turn), Math.cos(polar), Math.sin(polar) * Math.cos(turn))
      if (row === 0) triangles.push(0, at(0, column), at(0, column + 1))
      else {
        const [a, b, c, d] = [
          at(row - 1, column),
          at(row - 1, column + 1),
          at(row, column),
          at(row, column + 1),
        ]
        triangles.push(a, c, b, b, c, d)
      }
    }
  }
  return { directions, triangles }
}

/** A stand-in for scans of whole heads: with a neck, drawn through the landmarks of an average face, and two eyeballs that are closed all around. */
export function head() {
  const middle = [0, 0, -20]
  const skull = ball(60, 90, 2.5)
  const landmarks = Array.from({ length: 68 }, (_, i) => {
    const d = [0, 1, 2].map((c) => averageLandmarks[i * 3 + c] - middle[c])
    const length = Math.hypot(...d)
    let best = 0
    for (let v = 0; v * 3 < skull.directions.length; v++) {
      const cosine = (k: number) =>
        [0, 1, 2].reduce((sum, c) => sum + d[c] * skull.directions[k * 3 + c], 0) / length
      if (cosine(v) > cosine(best)) best = v
    }
    return { vertex: best, radius: length }
  })
  const positions: number[] = []
  for (let v = 0; v * 3 < skull.directions.length; v++) {
    const direction = skull.directions.slice(v * 3, v * 3 + 3)
    let [sum, total] = [90 * 0.02, 0.02]
    for (const { vertex, radius } of landmarks) {
      const other = skull.directions.slice(vertex * 3, vertex * 3 + 3)
      const cosine = direction.reduce((dot, value, c) => dot + value * other[c], 0)
      const weight = 0.001 / (Math.max(0, 1 - cosine) ** 1.5 + 1e-4)
      sum += weight * radius
      total += weight
    }
    direction.forEach((value, c) => positions.push(middle[c] + (value * sum) / total))
  }
  const triangles = [...skull.triangles]
  for (const [x, y, z] of [
    [-32, 27, 25],
    [32, 27, 25],
  ]) {
    const first = positions.length / 3
    const eye = ball(20, 24, Math.PI)
    for (let v = 0; v * 3 < eye.directions.length; v++)
      [x, y, z].forEach((value, c) => positions.push(value + 12 * eye.directions[v * 3 + c]))
    const lower = positions.length / 3
    positions.push(x, y - 12, z)
    for (const vertex of eye.triangles) triangles.push(first + vertex)
    for (let k = 0; k < 24; k++)
      triangles.push(first + 1 + 19 * 24 + k, lower, first + 1 + 19 * 24 + ((k + 1) % 24))
  }
  return {
    positions: Float32Array.from(positions),
    triangles,
    landmarks: landmarks.map(({ vertex }) => vertex),
  }
}
