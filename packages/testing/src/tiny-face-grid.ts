export type Point = [number, number, number]

/** Height of the mouth, and half of the neutral gap between the lips, mm. */
export const MOUTH_Y = -43
const HALF_GAP = 1.5
const MOUTH_HALF_WIDTH = 22

/** The mesh of a tiny face, in its mean. */
export interface TinyFaceGrid {
  positions: Point[]
  uv: [number, number][]
  triangles: number[]
  /** Vertices of the lips' rims from the subject's right to the left; the corners are in both. */
  upper: number[]
  lower: number[]
  /** Close the mouth. */
  mouthTriangles: number[]
  rows: number
  columns: number
}

/** Height of the face over the plane of its rim: an ellipsoid's front and a nose. */
function height(x: number, y: number): number {
  const dome = 72 * Math.sqrt(Math.max(0, 1.04 - (x / 74) ** 2 - (y / 100) ** 2)) - 14
  return dome + 16 * Math.exp(-((x / 13) ** 2) - ((y + 11) / 20) ** 2)
}

/** An oval grid of vertices with a slit for the mouth. */
export function buildTinyFaceGrid(rows: number, columns: number): TinyFaceGrid {
  const positions: Point[] = []
  const uv: [number, number][] = []
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const u = -1 + (2 * c) / (columns - 1)
      const v = 1 - (2 * r) / (rows - 1)
      const x = 72 * u * Math.sqrt(1 - (v * v) / 2)
      const y = 95 * v * Math.sqrt(1 - (u * u) / 2)
      positions.push([x, y, height(x, y)])
      uv.push([(u + 1) / 2, (v + 1) / 2])
    }
  }
  const middle = (columns - 1) >> 1
  const distance = (r: number) => Math.abs(positions[r * columns + middle][1] - MOUTH_Y)
  let row = 1
  for (let r = 1; r < rows - 1; r++) if (distance(r) < distance(row)) row = r
  let half = 1
  const reach = (h: number) =>
    Math.abs(positions[row * columns + middle + h][0] - positions[row * columns + middle][0])
  while (half + 2 < middle && reach(half + 1) <= MOUTH_HALF_WIDTH + 4) half++
  half = Math.max(2, half)
  const upper: number[] = []
  const lower: number[] = []
  const twin = new Map<number, number>()
  for (let c = middle - half; c <= middle + half; c++) {
    const vertex = row * columns + c
    const gap = HALF_GAP * Math.sqrt(1 - ((c - middle) / half) ** 2)
    upper.push(vertex)
    if (gap === 0) {
      lower.push(vertex)
      continue
    }
    const [x, y, z] = positions[vertex]
    twin.set(vertex, positions.length)
    lower.push(positions.length)
    positions.push([x, y - gap, z])
    uv.push([uv[vertex][0], uv[vertex][1] - 0.004])
    positions[vertex] = [x, y + gap, z]
    uv[vertex] = [uv[vertex][0], uv[vertex][1] + 0.004]
  }
  const triangles: number[] = []
  for (let r = 0; r < rows - 1; r++) {
    for (let c = 0; c < columns - 1; c++) {
      const top = (i: number) =>
        r === row ? (twin.get(r * columns + i) ?? r * columns + i) : r * columns + i
      const below = (r + 1) * columns
      triangles.push(top(c), below + c, below + c + 1, top(c), below + c + 1, top(c + 1))
    }
  }
  return {
    positions,
    uv,
    triangles,
    upper,
    lower,
    mouthTriangles: mouthTriangles(upper, lower),
    rows,
    columns,
  }
}

function mouthTriangles(upper: number[], lower: number[]): number[] {
  const triangles: number[] = []
  for (let k = 0; k + 1 < upper.length; k++) {
    if (upper[k] !== lower[k]) triangles.push(upper[k], lower[k], lower[k + 1])
    if (upper[k + 1] !== lower[k + 1]) triangles.push(upper[k], lower[k + 1], upper[k + 1])
  }
  return triangles
}
