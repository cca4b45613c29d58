import { boundaryLoops, meshNeighbours, normalsOf, TriangleTree } from '@facekit/mesh'
import { MeshoptSimplifier } from 'meshoptimizer'
import { strip } from './strip.js'

/** A surface. */
export interface Surface {
  positions: Float64Array
  triangles: Int32Array
}

/** What a head has beyond the face, in a mesh of its own that begins at the face's rim. */
export interface RestMesh {
  /** Vertices of the face along its rim, which are the first ones of this mesh. */
  rim: Int32Array
  /** `[M * 3]` mm, in the space of the head's surface; the last one is the middle of the cut through the neck. */
  positions: Float64Array
  triangles: Int32Array
}

/** What of the head's surface lies within this of the face's rim, or on the face, gives way to it, mm. */
const GAP = 2.5
/** How far the face may be from the head's surface that it covers, mm. */
const COVER = 6
/** Share of the triangles that stays. */
const SHARE = 0.62
/** Rounds in which vertices even out over the surface. */
const ROUNDS = 12

/** Makes the mesh of the rest of a head: what of its surface the face doesn't cover, down to a plane through the neck, sewn to the face's rim, with fewer and
 * more even triangles, and closed below.
 *
 * @param face - on the head's surface, in its space
 * @param neck - height of the plane, mm
 */
export async function restMesh(head: Surface, face: Surface, neck: number): Promise<RestMesh> {
  const outer = [...boundaryLoops(face.triangles)].reduce((a, b) =>
    spread(face, a) > spread(face, b) ? a : b,
  )
  const kept = uncovered(head, face, outer, neck)
  const cutPlaces = placesOnCut(head, kept, neck)
  // The head's vertices that are in use, behind those of the rim.
  const place = new Map<number, number>()
  const positions: number[] = []
  for (const v of outer) positions.push(...face.positions.subarray(3 * v, 3 * v + 3))
  for (const v of kept) {
    if (place.has(v)) continue
    place.set(v, positions.length / 3)
    positions.push(...(cutPlaces.get(v) ?? head.positions.subarray(3 * v, 3 * v + 3)))
  }
  const triangles = kept.map((v) => place.get(v)!)
  const loops = boundaryLoops(Int32Array.from(triangles))
  const at = (v: number, c: number) => positions[3 * v + c]
  const height = (loop: ArrayLike<number>) =>
    Array.from(loop).reduce((sum, v) => sum + at(v, 1), 0) / loop.length
  const sorted = [...loops].sort((a, b) => b.length - a.length).slice(0, 2)
  const [hole, cut] = height(sorted[0]) > height(sorted[1]) ? sorted : [sorted[1], sorted[0]]
  const rim = outer.map((_, i) => i)
  // Both rims run the other way round than the strip between them: the surface is on their left.
  triangles.push(...strip(positions, [...rim], [...hole].toReversed()))
  const even = await evenOut(
    head,
    Float64Array.from(positions),
    Int32Array.from(triangles),
    outer.length,
    cut,
  )
  return { rim: outer, ...close(even.positions, even.triangles, outer.length) }
}

function spread({ positions }: Surface, loop: ArrayLike<number>): number {
  const list = Array.from(loop, (v) => positions[3 * v])
  return Math.max(...list) - Math.min(...list)
}

/** Triangles of the head that stay: the largest piece of those that the face doesn't cover. */
function uncovered(head: Surface, face: Surface, rim: ArrayLike<number>, neck: number): number[] {
  const tree = new TriangleTree(face.positions, face.triangles)
  const onRim = new Set(Array.from(rim))
  const headNormals = normalsOf(head.positions, head.triangles)
  const faceNormals = normalsOf(face.positions, face.triangles)
  const count = head.positions.length / 3
  const gone = new Uint8Array(count)
  const all = meshNeighbours(head.triangles, count)
  const below = (v: number) => head.positions[3 * v + 1] < neck
  for (let v = 0; v < count; v++) {
    const [x, y, z] = head.positions.subarray(3 * v, 3 * v + 3)
    if (y < neck) {
      // What is next to the plane stays, and moves up to it.
      gone[v] = all.list.subarray(all.start[v], all.start[v + 1]).every(below) ? 1 : 0
      continue
    }
    const near = tree.nearest(x, y, z)!
    let agreement = 0
    let atRim = true
    for (let k = 0; k < 3; k++) {
      const corner = face.triangles[near.triangle + k]
      if (near.weights[k] > 1e-6 && !onRim.has(corner)) atRim = false
      for (let c = 0; c < 3; c++)
        agreement += near.weights[k] * headNormals[3 * v + c] * faceNormals[3 * corner + c]
    }
    if (atRim ? near.distance < GAP : near.distance < COVER && agreement > 0) gone[v] = 1
    // Nostrils, lids, lips: whatever lies behind the face, inside its outline.
    else if (!atRim && near.distance < 30 && agreement <= 0 && Math.abs(x) < 55 && z > 0) gone[v] = 1
  }
  const piece = new Int32Array(count).fill(-1)
  const { start, list } = meshNeighbours(
    head.triangles.filter((_, i, all) => [0, 1, 2].every((k) => !gone[all[i - (i % 3) + k]])),
    count,
  )
  const sizes: number[] = []
  for (let v = 0; v < count; v++) {
    if (piece[v] >= 0 || start[v] === start[v + 1]) continue
    const stack = [v]
    piece[v] = sizes.length
    sizes.push(0)
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      sizes[piece[v]]++
      for (let i = start[next]; i < start[next + 1]; i++) {
        if (piece[list[i]] >= 0) continue
        piece[list[i]] = piece[v]
        stack.push(list[i])
      }
    }
  }
  const largest = sizes.indexOf(Math.max(...sizes))
  const kept: number[] = []
  for (let t = 0; t < head.triangles.length; t += 3) {
    const corners = [...head.triangles.subarray(t, t + 3)]
    if (corners.every((v) => !gone[v] && piece[v] === largest) && !corners.every(below)) kept.push(...corners)
  }
  return withoutSpikes(kept)
}

/** Where vertices below the plane go: to it, along their steepest edge. */
function placesOnCut(
  { positions }: Surface,
  triangles: readonly number[],
  neck: number,
): Map<number, number[]> {
  const steepest = new Map<number, [slope: number, place: number[]]>()
  for (let t = 0; t < triangles.length; t++) {
    for (const step of [1, 2]) {
      const [v, other] = [triangles[t], triangles[t - (t % 3) + ((t + step) % 3)]]
      const [low, high] = [positions[3 * v + 1], positions[3 * other + 1]]
      if (low >= neck || high < neck) continue
      const way = [0, 1, 2].map((c) => positions[3 * other + c] - positions[3 * v + c])
      const slope = way[1] / Math.hypot(...way)
      if (slope <= (steepest.get(v)?.[0] ?? 0)) continue
      const share = (neck - low) / (high - low)
      steepest.set(v, [slope, way.map((value, c) => positions[3 * v + c] + share * value)])
    }
  }
  return new Map([...steepest].map(([v, [, place]]) => [v, place]))
}

/** Removes triangles that hang on by one corner or stick out with two free edges, until the rim is simple. */
function withoutSpikes(triangles: number[]): number[] {
  let current = triangles
  for (let round = 0; round < 20; round++) {
    const edges = new Set<string>()
    for (let t = 0; t < current.length; t += 3)
      for (let k = 0; k < 3; k++) edges.add(`${current[t + k]} ${current[t + ((k + 1) % 3)]}`)
    const next: number[] = []
    for (let t = 0; t < current.length; t += 3) {
      const shared = [0, 1, 2].filter((k) =>
        edges.has(`${current[t + ((k + 1) % 3)]} ${current[t + k]}`),
      ).length
      if (shared >= 2) next.push(...current.slice(t, t + 3))
    }
    if (next.length === current.length) return current
    current = next
  }
  return current
}

/** Fewer triangles, and vertices evened out over the head's surface; the first ones, of the rim, stay where they are, those of the cut in its plane. */
async function evenOut(
  head: Surface,
  positions: Float64Array,
  triangles: Int32Array,
  fixed: number,
  cut: ArrayLike<number>,
): Promise<Surface> {
  await MeshoptSimplifier.ready
  const [simple] = MeshoptSimplifier.simplify(
    Uint32Array.from(triangles),
    Float32Array.from(positions),
    3,
    Math.floor((triangles.length / 3) * SHARE) * 3,
    1,
    ['LockBorder'],
  )
  const used = new Map<number, number>(Array.from({ length: fixed }, (_, i) => [i, i]))
  for (const v of simple) if (!used.has(v)) used.set(v, used.size)
  const result = new Float64Array(3 * used.size)
  for (const [from, to] of used) result.set(positions.subarray(3 * from, 3 * from + 3), 3 * to)
  const mesh = Int32Array.from(simple, (v) => used.get(v)!)
  const held = new Uint8Array(used.size).fill(1, 0, fixed)
  for (const v of Array.from(cut)) held[used.get(v)!] = 1
  const { start, list } = meshNeighbours(mesh, used.size)
  const tree = new TriangleTree(head.positions, head.triangles)
  const headNormals = normalsOf(head.positions, head.triangles)
  for (let round = 0; round < ROUNDS; round++) {
    const normals = normalsOf(result, mesh)
    const moved = result.slice()
    for (let v = 0; v < used.size; v++) {
      if (held[v]) continue
      const middle = [0, 0, 0]
      for (let i = start[v]; i < start[v + 1]; i++)
        for (let c = 0; c < 3; c++) middle[c] += result[3 * list[i] + c] / (start[v + 1] - start[v])
      const accept = (t: number) => {
        let agreement = 0
        for (let k = 0; k < 3; k++)
          for (let c = 0; c < 3; c++)
            agreement += (headNormals[3 * head.triangles[t + k] + c] * normals[3 * v + c]) / 3
        return agreement > 0.4
      }
      const goal = [0, 1, 2].map((c) => 0.6 * result[3 * v + c] + 0.4 * middle[c]) as [number, number, number]
      const near = tree.nearest(...goal, { within: 8, accept })
      if (!near) continue
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = 0; k < 3; k++)
          sum += near.weights[k] * head.positions[3 * head.triangles[near.triangle + k] + c]
        moved[3 * v + c] = sum
      }
    }
    result.set(moved)
  }
  return { positions: result, triangles: mesh }
}

/** How far inside of the cut a second ring runs, so that shading bends at the edge alone. */
const BEVEL = 0.96

/** Closes the cut through the neck: a ring next to its edge, and a fan around its middle. */
function close(positions: Float64Array, triangles: Int32Array, rim: number): Surface {
  const cut = boundaryLoops(triangles).find((loop) => loop.every((v) => v >= rim))!
  const count = positions.length / 3
  const middle = [0, 1, 2].map((c) => cut.reduce((sum, v) => sum + positions[3 * v + c], 0) / cut.length)
  const ring = [...cut].flatMap((v) =>
    middle.map((value, c) => value + BEVEL * (positions[3 * v + c] - value)),
  )
  const last = count + cut.length
  const floor = [...cut].flatMap((v, i) => {
    const next = (i + 1) % cut.length
    return [cut[next], v, count + i, cut[next], count + i, count + next, count + next, count + i, last]
  })
  return {
    positions: Float64Array.from([...positions, ...ring, ...middle]),
    triangles: Int32Array.from([...triangles, ...floor]),
  }
}
