/** What is inside of a mouth: socket, gums, tongue and teeth of the mean head. Plain data; V vertices: the socket's, of which the
 * first are two rings along the edge of the lips, then those of gums, of the tongue, and of the teeth. */
export interface MouthModel {
  /** `[V * 3]` mm, in the space of the mean face. */
  readonly mean: Float32Array
  /** `[F * 3]` counter-clockwise seen from where they are seen: the socket from inside. */
  readonly triangles: Int32Array
  /** Where the vertices of the socket, the gums, the tongue and the teeth end. */
  readonly ends: readonly [socket: number, gums: number, tongue: number, teeth: number]
  /** `[V]` how far each goes with the jaw, and with a tongue that is put out, 0..1. */
  readonly jaw: Float32Array
  readonly reach: Float32Array
  /** `[V]` where between the two colours of its part each is, 0..1. */
  readonly tint: Float32Array
  /** Expressions that move it, by ARKit's names, and how: `[5]`, `[5][12]`: what a 3 x 3 matrix, row by row, and what is added, mm, move a point of the jaw by, or, with `tongueOut`, the
   * tip of the tongue. */
  readonly motionNames: readonly string[]
  readonly motions: readonly Float32Array[]
  /** `[R][12]` how each of the head's modes moves it: in the same way. */
  readonly affine: readonly Float32Array[]
  /** `[L]` vertices of the face along the edge of its lips, and where the mean face has them, `[L * 3]` mm. */
  readonly lips: Int32Array
  readonly lipsMean: Float32Array
  /** `[S]` for each vertex of the socket the place in `lips` that it is next to, and how far it goes with that, 0..1. */
  readonly nearest: Int32Array
  readonly shares: Float32Array
}

/** How tensors of the head's file are read. */
export interface HeadTensors {
  /** @param width - what the number of values must be a multiple of */
  tensor(name: string, width?: number): ArrayLike<number>
  /** Rows that lie one behind the other. */
  rows(name: string, count: number, scale?: ArrayLike<number>): Float32Array[]
}

/** Unpacks the mouth of a head's file. */
export function readMouthModel({ tensor, rows }: HeadTensors, names: string, modes: number): MouthModel {
  const share = (name: string) => Float32Array.from(tensor(name), (value) => value / 255)
  const motionNames = JSON.parse(names) as string[]
  const [socket, gums, tongue, teeth] = Array.from(tensor('mouth_ends', 4))
  return {
    mean: Float32Array.from(tensor('mouth_mean', 3)),
    triangles: Int32Array.from(tensor('mouth_triangles', 3)),
    ends: [socket, gums, tongue, teeth],
    jaw: share('mouth_jaw'),
    reach: share('mouth_reach'),
    tint: share('mouth_tint'),
    motionNames,
    motions: rows('mouth_motions', motionNames.length),
    affine: rows('mouth_affine', modes),
    lips: Int32Array.from(tensor('mouth_lips')),
    lipsMean: Float32Array.from(tensor('mouth_lips_mean', 3)),
    nearest: Int32Array.from(tensor('mouth_nearest')),
    shares: share('mouth_shares'),
  }
}
