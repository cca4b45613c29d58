import { ModelFormatError } from '@facekit/core'

/** What a Wavefront OBJ file holds of a mesh. */
export interface ObjMesh {
  /** `[N * 3]` */
  positions: Float64Array
  /** `[T * 2]`, origin at the lower left. */
  uv: Float64Array
  /** Vertices of each polygon. */
  polygons: number[][]
  /** Texture coordinates of each polygon's corners, -1 where there are none. */
  uvPolygons: number[][]
}

/** Reads positions, texture coordinates and polygons of an OBJ file, in the order of the file; indices that count from the end, and lines that go on after a
 * backslash, too.
 *
 * @param who - begins the messages
 * @param positionsOnly - skips all but positions
 * @throws {ModelFormatError} when a line is damaged, or an index has no vertex
 */
export function parseObj(text: string, who: string, positionsOnly = false): ObjMesh {
  const positions: number[] = []
  const uv: number[] = []
  const polygons: number[][] = []
  const uvPolygons: number[][] = []
  const fail = (what: string, line: number): never => {
    throw new ModelFormatError(`${who}: ${what} in line ${line + 1}; the file is damaged or no OBJ file`)
  }
  for (const [at, line] of wholeLines(text)) {
    const isPosition = /^\s*v\s/.test(line)
    if (isPosition || (!positionsOnly && /^\s*vt\s/.test(line))) {
      const width = isPosition ? 3 : 2
      const numbers = line
        .trim()
        .split(/\s+/)
        .slice(1, 1 + width)
        .map(Number)
      if (numbers.length < width || !numbers.every(Number.isFinite)) fail('no numbers', at)
      ;(isPosition ? positions : uv).push(...numbers)
    } else if (!positionsOnly && /^\s*f\s/.test(line)) {
      const corners = line
        .trim()
        .split(/\s+/)
        .slice(1)
        .map((corner) => corner.split('/'))
      const vertices = corners.map(([vertex]) => indexOf(vertex, positions.length / 3))
      if (corners.length < 3 || !vertices.every((v) => Number.isSafeInteger(v) && v >= 0)) {
        fail('no polygon of at least three vertices counted from 1', at)
      }
      polygons.push(vertices)
      uvPolygons.push(corners.map(([, texture]) => (texture ? indexOf(texture, uv.length / 2) : -1)))
    }
  }
  const count = positions.length / 3
  if (count === 0) throw new ModelFormatError(`${who}: no vertices found, expected an OBJ file`)
  for (const polygon of polygons) {
    const wrong = polygon.find((vertex) => vertex >= count)
    if (wrong !== undefined) {
      throw new ModelFormatError(`${who}: a polygon names vertex ${wrong + 1}, the file has ${count}`)
    }
  }
  for (const polygon of uvPolygons) {
    if (polygon.some((index) => !(index >= -1 && index < uv.length / 2))) {
      throw new ModelFormatError(`${who}: a polygon names texture coordinates that are not there`)
    }
  }
  return { positions: Float64Array.from(positions), uv: Float64Array.from(uv), polygons, uvPolygons }
}

/** Lines with the numbers of their beginnings; after a backslash at its end a line goes on, but for comments, which may end in a folder's name. */
function* wholeLines(text: string): Generator<[number, string]> {
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const first = at
    const parts = [lines[at]]
    if (!/^\s*#/.test(lines[at]))
      while (/\\\r?$/.test(parts.at(-1)!) && at + 1 < lines.length) parts.push(lines[++at])
    yield [first, parts.length === 1 ? parts[0] : parts.map((part) => part.replace(/\\\r?$/, '')).join(' ')]
  }
}

/** An index from 0; negative ones count from the last element before the line. */
function indexOf(text: string, count: number): number {
  const value = Number(text)
  return value < 0 ? count + value : value - 1
}
