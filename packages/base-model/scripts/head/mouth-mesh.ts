import { boundaryLoops } from '@facekit/mesh'
import { Matrix, solve } from 'ml-matrix'
import { MeshoptSimplifier } from 'meshoptimizer'
import type { IctModel } from '../scans/ict-model.js'
import { strip } from './strip.js'

/** What is inside of a mouth, in ICT's space. Vertices: socket first, then gums and tongue, then teeth. */
export interface MouthMesh {
  /** `[V * 3]` mm. */
  positions: Float64Array
  /** `[F * 3]`, counter-clockwise seen from where they are seen: the socket from inside. */
  triangles: Int32Array
  /** Which of ICT's vertices each is. */
  vertices: Int32Array
  /** Where socket, gums and teeth end. */
  ends: [socket: number, gums: number, teeth: number]
  /** `[V]` how far each goes with the jaw, 0..1. */
  jaw: Float64Array
}

/** Triangles of ICT-FaceKit, both ends included, and the share of them that stays. */
const PARTS = [
  { name: 'socket', first: 22_288, last: 26_451, share: 0.3 },
  { name: 'gums and tongue', first: 28_068, last: 33_875, share: 0.4 },
  { name: 'teeth', first: 33_876, last: 42_571, share: 0.55 },
] as const
/** Lower teeth: what goes with the jaw wholly. */
const LOWER_TEETH = [19_247, 21_450] as const
/** What moves what is in a mouth; names are ICT's and ARKit's alike. */
export const MOTIONS = ['jawOpen', 'jawForward', 'jawLeft', 'jawRight'] as const

/** Teeth, gums, tongue and socket of ICT-FaceKit with fewer triangles. */
export async function mouthMesh(ict: IctModel): Promise<MouthMesh> {
  await MeshoptSimplifier.ready
  const vertices: number[] = []
  const triangles: number[] = []
  const ends: number[] = []
  for (const { first, last, share } of PARTS) {
    const part = Uint32Array.from(ict.triangles.subarray(3 * first, 3 * last + 3))
    const place = new Map<number, number>()
    const local = Uint32Array.from(part, (v) => {
      if (!place.has(v)) place.set(v, place.size)
      return place.get(v)!
    })
    const list = [...place.keys()]
    const positions = Float32Array.from(list.flatMap((v) => [...ict.mean.subarray(3 * v, 3 * v + 3)]))
    const wanted = 3 * Math.floor((share * local.length) / 3)
    const [simple] = MeshoptSimplifier.simplify(local, positions, 3, wanted, 1, ['LockBorder'])
    const used = new Map<number, number>()
    for (const v of simple) if (!used.has(v)) used.set(v, vertices.length + used.size)
    triangles.push(...Array.from(simple, (v) => used.get(v)!))
    vertices.push(...Array.from(used.keys(), (v) => list[v]))
    ends.push(vertices.length)
  }
  const positions = Float64Array.from(vertices.flatMap((v) => [...ict.mean.subarray(3 * v, 3 * v + 3)]))
  return {
    positions,
    triangles: Int32Array.from(triangles),
    vertices: Int32Array.from(vertices),
    ends: ends as MouthMesh['ends'],
    jaw: jawShares(ict, vertices),
  }
}

/** How much of the jaw's motion each vertex follows: that of the lower teeth, an affine one, is all of it. */
function jawShares(ict: IctModel, vertices: readonly number[]): Float64Array {
  const field = ict.expressions.get('jawOpen')!
  const lower = Array.from({ length: LOWER_TEETH[1] - LOWER_TEETH[0] + 1 }, (_, i) => LOWER_TEETH[0] + i)
  const motion = fitAffine(
    lower.map((v) => [...ict.mean.subarray(3 * v, 3 * v + 3)]),
    lower.map((v) => [...field.subarray(3 * v, 3 * v + 3)]),
  )
  return Float64Array.from(vertices, (v) => {
    const whole = applyAffine(motion, [...ict.mean.subarray(3 * v, 3 * v + 3)])
    const dot = whole.reduce((sum, value, c) => sum + value * field[3 * v + c], 0)
    const square = whole.reduce((sum, value) => sum + value * value, 0)
    return Math.min(1, Math.max(0, dot / square))
  })
}

/** `[12]` the affine function that is nearest to values at places: a 3 x 3 matrix row by row, then what is added. */
export function fitAffine(places: readonly number[][], values: readonly number[][]): number[] {
  const found = solve(
    new Matrix(places.map((place) => [...place, 1])),
    new Matrix(values as number[][]),
    true,
  )
  const at = (row: number, column: number) => found.get(row, column)
  return [...[0, 1, 2].flatMap((c) => [at(0, c), at(1, c), at(2, c)]), ...[0, 1, 2].map((c) => at(3, c))]
}

const applyAffine = (f: readonly number[], [x, y, z]: readonly number[]): number[] =>
  [0, 1, 2].map((c) => f[3 * c] * x + f[3 * c + 1] * y + f[3 * c + 2] * z + f[9 + c])

/** Distance over which the socket's edge follows the lips, mm. */
const REACH = 9
/** Upper and lower lips touch: what moves apart by this when the mouth opens is as far apart as a millimetre. */
const APART = 2

/** Places and what the open jaw moves them by, `[N * 3]` mm each. */
export interface MovedPoints {
  places: ArrayLike<number>
  opened: ArrayLike<number>
}

/** For each vertex of the socket the nearest one of the lips' edge that goes the same way, and how far it goes with that: wholly next to it, hardly deep inside. */
function tieToLips(
  mouth: MovedPoints,
  socket: number,
  lips: readonly number[],
  face: MovedPoints,
): { nearest: number[]; shares: number[] } {
  const nearest: number[] = []
  const shares: number[] = []
  const between = (name: keyof MovedPoints, v: number, lip: number) =>
    Math.hypot(...[0, 1, 2].map((c) => mouth[name][3 * v + c] - face[name][3 * lip + c]))
  for (let v = 0; v < socket; v++) {
    const distances = lips.map((lip) => between('places', v, lip) + between('opened', v, lip) / APART)
    const best = distances.indexOf(Math.min(...distances))
    nearest.push(best)
    shares.push(Math.exp(-0.5 * (between('places', v, lips[best]) / REACH) ** 2))
  }
  return { nearest, shares }
}

/** The inside of the lips' edge, behind it and past the other lip's, mm: no tooth shines through the slit between closed lips. */
const [BEHIND, OVERLAP] = [1.8, 0.7]

/** What is inside of a mouth, sewn to the lips: vertices of the socket begin with two rings of the lips' length, on their edge and behind it. */
export interface SewnMouth {
  positions: Float64Array
  triangles: Int32Array
  ends: MouthMesh['ends']
  jaw: Float64Array
  nearest: number[]
  shares: number[]
}

/** Sews the socket to the edge of the lips.
 *
 * @param mouth - the places of the mesh in the face's space
 * @param lips - along the edge, as `lipLoop` has them
 */
export function sewToLips(
  mesh: MouthMesh,
  mouth: MovedPoints,
  lips: readonly number[],
  face: MovedPoints,
): SewnMouth {
  const count = lips.length
  const edge = lips.map((v) => [0, 1, 2].map((c) => face.places[3 * v + c]))
  const down = lips.map((v) => Math.hypot(...[0, 1, 2].map((c) => face.opened[3 * v + c])))
  const most = Math.max(...down)
  const behind = edge.map(([x, y, z], i) => [x, y + OVERLAP * (2 * (down[i] / most) - 1), z - BEHIND])
  const added = 2 * count
  const positions = Float64Array.from([...edge.flat(), ...behind.flat(), ...Array.from(mouth.places)])
  const own = mesh.triangles.filter((_, i, all) => all[i - (i % 3)] < mesh.ends[0])
  const border = [...boundaryLoops(own)].reduce((a, b) => (a.length > b.length ? a : b))
  const first = Array.from({ length: count }, (_, i) => i)
  const second = first.map((i) => count + i)
  // The surface is on the left of the lips' edge: what goes on behind it runs the other way.
  const triangles = [
    ...first.flatMap((i) => {
      const next = (i + 1) % count
      return [next, i, count + i, next, count + i, count + next]
    }),
    ...strip(positions, second, Array.from(border, (v) => v + added).toReversed()),
  ]
  const tied = tieToLips(mouth, mesh.ends[0], lips, face)
  return {
    positions,
    triangles: Int32Array.from([...triangles, ...mesh.triangles.map((v) => v + added)]),
    ends: mesh.ends.map((end) => end + added) as MouthMesh['ends'],
    jaw: Float64Array.from([...down, ...down].map((value) => value / most).concat(Array.from(mesh.jaw))),
    nearest: [...first, ...first, ...tied.nearest],
    shares: [...first.map(() => 1), ...first.map(() => 1), ...tied.shares],
  }
}

/** The edge of the lips on a face's mesh: of the loops of its border that are around the middle, the lowest. */
export function lipLoop(triangles: Int32Array, positions: ArrayLike<number>): number[] {
  const loops = boundaryLoops(triangles).map((loop) => [...loop])
  const mean = (loop: readonly number[], c: number) =>
    loop.reduce((sum, v) => sum + positions[3 * v + c], 0) / loop.length
  const outer = loops.reduce((a, b) => (a.length > b.length ? a : b))
  const inner = loops.filter((loop) => loop !== outer && Math.abs(mean(loop, 0)) < 5)
  return inner.reduce((a, b) => (mean(a, 1) < mean(b, 1) ? a : b))
}
