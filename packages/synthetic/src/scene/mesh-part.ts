/** Rasterized apart from each other, so that what lies below shows through. */
export type Layer = 'head' | 'mouth' | 'hair' | 'front'

/** What a surface is made of: its colour comes from the model, or is sampled for each picture. */
export type Material =
  | 'face'
  | 'skin'
  | 'teeth'
  | 'tongue'
  | 'hair'
  | 'hat'
  | 'lash'
  | 'frame'
  | 'lens'
  | 'hand'
  | 'object'
  | 'mask'
  | 'scarf'

/** Vertices whose movement a vertex shares, and how much of it. */
export interface Host {
  /** Indices into the scene as it stood before the part was added. */
  vertices: readonly number[]
  /** Add up to 1. */
  weights: readonly number[]
  identity: number
  expression: number
}

/** A piece of the scene around the face. */
export interface MeshPart {
  name: string
  layer: Layer
  material: Material
  /** `[n * 3]` mm, model space, on the mean face. */
  positions: Float32Array
  /** `[f * 3]` of the part's own vertices, counter-clockwise from outside. */
  triangles: Int32Array
  /** Class of all of its triangles, or of each. */
  label: number | Int32Array
  /** `[n]` vertex of the scene that stands in for a vertex of the part, -1 for those that are new. Default: all are new. */
  shared?: Int32Array
  /** `[n]` Default: nothing moves it. */
  hosts?: readonly Host[]
  /** `[n * 2]` coordinates for textures. Default 0. */
  uv?: Float32Array
  /** `[n]` share of light that gets there. Default 1. */
  openness?: Float32Array
  /** `[n]` 1 where the vertex stays with the body when the head turns. Default 0. */
  body?: Float32Array
}

/** Triangles of a grid of rows and columns of vertices; outside is where columns run to the right and rows down.
 *
 * @param first - number of the grid's first vertex
 * @param closed - whether the last column meets the first
 */
export function gridTriangles(rows: number, columns: number, first = 0, closed = false): number[] {
  const result: number[] = []
  for (let r = 0; r + 1 < rows; r++) {
    for (let c = 0; c + (closed ? 0 : 1) < columns; c++) {
      const a = first + r * columns + c
      const b = first + r * columns + ((c + 1) % columns)
      result.push(a, a + columns, b, b, a + columns, b + columns)
    }
  }
  return result
}

/** A host that does not move. */
export const still: Host = { vertices: [], weights: [], identity: 0, expression: 0 }

export const smoothstep = (from: number, to: number, x: number): number => {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)))
  return t * t * (3 - 2 * t)
}

export const mix = (a: number, b: number, t: number): number => a + (b - a) * t
