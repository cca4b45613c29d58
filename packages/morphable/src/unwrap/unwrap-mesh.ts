import { boundaryLoops } from '@facekit/mesh'
import ndarray, { type NdArray } from 'ndarray'
import { cylindricalCoordinates } from './cylindrical-uv.js'
import { drumCoordinates, spreadEvenly } from './drum-uv.js'
import { shareOfFolds, untangleUv } from './untangle-uv.js'

/** Height of the row of charts for eyeballs and other pieces. */
const ROW = 0.18
const MARGIN = 0.01
/** Pieces of fewer vertices are no pieces: vertices without triangles. */
const SMALLEST = 4
/** Share of triangles that may stay folded in the chart of a small piece. */
const MOST_FOLDS = 0.1

/** Texture coordinates of a mesh that has none, one pair a vertex, so without seams.
 *
 * The largest piece, the skin: a face is unrolled from a cylinder; a whole head is spread around the direction of the face, as maps
 * spread the globe around a pole, with the back of the head at the border. Folds (ears, nostrils, lips) are taken out. Other pieces
 * (eyeballs, teeth) have charts of their own in a row below.
 *
 * @param positions - `[N * 3]` mm, model space
 * @param triangles - `[F * 3]`, counter-clockwise seen from outside
 * @returns `[N, 2]` in 0..1, origin at the lower left
 */
export function unwrapMesh(positions: ArrayLike<number>, triangles: Int32Array): NdArray<Float32Array> {
  const count = positions.length / 3
  const pieces = piecesOf(triangles, count)
  const uv = new Float32Array(count * 2)
  pieces.forEach((piece, k) => {
    const others = pieces.length - 1
    const coordinates = chartOf(positions, piece, k === 0)
    const width = (1 - MARGIN) / others
    const [left, right, low, high] =
      k === 0
        ? [MARGIN, 1 - MARGIN, others > 0 ? ROW + 2 * MARGIN : MARGIN, 1 - MARGIN]
        : [MARGIN + (k - 1) * width, k * width, MARGIN, MARGIN + Math.min(ROW, width)]
    const bounds = [0, 1].map((c) => {
      let [least, most] = [Infinity, -Infinity]
      for (let i = c; i < coordinates.length; i += 2) {
        least = Math.min(least, coordinates[i])
        most = Math.max(most, coordinates[i])
      }
      return [least, most - least || 1]
    })
    piece.vertices.forEach((vertex, i) => {
      const [u, v] = [0, 1].map((c) => (coordinates[i * 2 + c] - bounds[c][0]) / bounds[c][1])
      uv[vertex * 2] = left + (right - left) * u
      uv[vertex * 2 + 1] = low + (high - low) * v
    })
  })
  return ndarray(uv, [count, 2])
}

interface Piece {
  vertices: number[]
  /** Renumbered: rows of `vertices`. */
  triangles: Int32Array
}

/** Connected pieces, the largest first; it gets the vertices without triangles, too. */
function piecesOf(triangles: Int32Array, count: number): Piece[] {
  const parent = Int32Array.from({ length: count }, (_, v) => v)
  const find = (v: number) => {
    while (parent[v] !== v) v = parent[v] = parent[parent[v]]
    return v
  }
  for (let t = 0; t < triangles.length; t += 3) {
    parent[find(triangles[t + 1])] = find(triangles[t])
    parent[find(triangles[t + 2])] = find(triangles[t])
  }
  const groups = new Map<number, number[]>()
  for (let v = 0; v < count; v++) {
    const group = groups.get(find(v))
    if (group) group.push(v)
    else groups.set(find(v), [v])
  }
  const sorted = [...groups.values()].toSorted((a, b) => b.length - a.length)
  const pieces = sorted.filter((group, k) => k === 0 || group.length >= SMALLEST)
  for (const group of sorted.slice(pieces.length)) for (const vertex of group) pieces[0].push(vertex)
  const rows = new Int32Array(count)
  const owner = new Int32Array(count)
  pieces.forEach((vertices, k) => vertices.forEach((vertex, i) => ([rows[vertex], owner[vertex]] = [i, k])))
  const lists: number[][] = pieces.map(() => [])
  for (const vertex of triangles) lists[owner[vertex]].push(rows[vertex])
  return pieces.map((vertices, k) => ({ vertices, triangles: Int32Array.from(lists[k]) }))
}

function chartOf(positions: ArrayLike<number>, piece: Piece, isSkin: boolean): Float64Array {
  const own = Float64Array.from({ length: piece.vertices.length * 3 }, (_, i) => {
    return positions[piece.vertices[Math.floor(i / 3)] * 3 + (i % 3)]
  })
  const open = opened(own, piece.triangles)
  const border = longest(boundaryLoops(open))
  const front = isSkin ? FORWARD : awayFrom(own, border)
  const coordinates =
    isSkin && !wrapsAround(own) ? cylindricalCoordinates(own) : azimuthalCoordinates(own, front)
  const fixed = new Uint8Array(piece.vertices.length)
  for (const vertex of border) fixed[vertex] = 1
  untangleUv(coordinates, open, fixed)
  if (isSkin || shareOfFolds(coordinates, open) < MOST_FOLDS || border.length === 0) return coordinates
  // No point sees all of it, as with the lens of an eye that is bent: spread as a drum, then evenly from the middle to the rim.
  const drum = drumCoordinates(own.length / 3, open, border)
  spreadEvenly(drum, own, open)
  return drum
}

const FORWARD = [0, 0, 1]

const longest = (loops: readonly Int32Array[]) =>
  loops.reduce((most, loop) => (loop.length > most.length ? loop : most), new Int32Array(0))

/** Triangles with a border: of a closed surface without those around the vertex that is farthest back. Over UV these few span everything, so
 * `bakeTexture` draws large triangles first. */
function opened(positions: Float64Array, triangles: Int32Array): Int32Array {
  if (boundaryLoops(triangles).length > 0) return triangles
  let back = triangles[0]
  for (const vertex of triangles) if (positions[vertex * 3 + 2] < positions[back * 3 + 2]) back = vertex
  return triangles.filter((_, i) => {
    const first = i - (i % 3)
    return triangles[first] !== back && triangles[first + 1] !== back && triangles[first + 2] !== back
  })
}

/** The middle of the box around points. */
function middleOf(positions: Float64Array): number[] {
  return [0, 1, 2].map((c) => {
    let [least, most] = [Infinity, -Infinity]
    for (let i = c; i < positions.length; i += 3) {
      least = Math.min(least, positions[i])
      most = Math.max(most, positions[i])
    }
    return (least + most) / 2
  })
}

/** Whether a surface goes all the way round: whether it has a back of the head. */
function wrapsAround(positions: Float64Array): boolean {
  const [x, , z] = middleOf(positions)
  const seen = new Uint8Array(12)
  for (let i = 0; i < positions.length; i += 3) {
    const turn = Math.atan2(positions[i] - x, positions[i + 2] - z) / (2 * Math.PI) + 0.5
    seen[Math.min(11, Math.floor(turn * 12))] = 1
  }
  return seen.every(Boolean)
}

/** The direction that a piece shows where its border is behind it. */
function awayFrom(positions: Float64Array, border: Int32Array): number[] {
  const middle = middleOf(positions)
  const sum = [0, 0, 0]
  for (const vertex of border) for (let c = 0; c < 3; c++) sum[c] += middle[c] - positions[vertex * 3 + c]
  const length = Math.hypot(...sum)
  return length > 0 ? sum.map((value) => value / length) : FORWARD
}

/** Angle from the front as radius, direction around it as direction: the azimuthal equidistant projection.
 *
 * @param front - unit length
 */
function azimuthalCoordinates(positions: Float64Array, front: readonly number[]): Float64Array {
  const middle = middleOf(positions)
  const side = Math.abs(front[1]) < 0.9 ? cross([0, 1, 0], front) : cross(front, [0, 0, 1])
  const length = Math.hypot(...side)
  const right = side.map((value) => value / length)
  const axes = [right, cross(front, right), front]
  const result = new Float64Array((positions.length / 3) * 2)
  for (let v = 0; v * 3 < positions.length; v++) {
    const [x, y, z] = axes.map((axis) =>
      axis.reduce((sum, value, c) => sum + value * (positions[v * 3 + c] - middle[c]), 0),
    )
    const radius = Math.hypot(x, y)
    const angle = Math.atan2(radius, z)
    result[v * 2] = radius > 0 ? (angle * x) / radius : 0
    result[v * 2 + 1] = radius > 0 ? (angle * y) / radius : 0
  }
  return result
}

const cross = (a: readonly number[], b: readonly number[]) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
