import { Matrix, solve } from 'ml-matrix'
import { CLEARANCE, RADIUS } from '../eyeballs.js'
import type { FaceMesh } from '../face-mesh.js'
import { refineLine } from './register-template.js'

/** How far the correction of the lids' edge reaches into the skin, mm. */
const REACH = 5
/** How much sideways motion of an eyeball follows the mean of its lids, in parts of what their curvature says. */
const FOLLOW = 0.1

/** Least distance of the lids' edge from the eyeball, mm. */
const LEAST = 0.1

/** An eyeball of the mean face and the edge of the lids on it. */
export interface Eye {
  side: 'right' | 'left'
  center: number[]
  /** The lids' edge, vertices in order. */
  loop: number[]
  /** Directions from the centre to those vertices. */
  normals: number[][]
  /** For each skin vertex near the edge: it, and the share that it takes of each edge vertex's motion. */
  around: { vertex: number; shares: Map<number, number> }[]
}

/** Puts eyeballs behind the lids of a mean face.
 *
 * @param skin - `[S * 3]` mm
 * @param pupil - where the left one looks straight ahead, x and y in mm; its depth comes from the lids
 */
export function placeEyes(mesh: FaceMesh, skin: Float64Array, pupil: readonly [number, number]): Eye[] {
  const point = (i: number) => [...skin.subarray(i * 3, i * 3 + 3)]
  const distance = (a: number[], b: number[]) => Math.hypot(...a.map((value, c) => value - b[c]))
  return mesh.eyeballs.map(({ side, lids }) => {
    const loop = refineLine(mesh, [...lids, lids[0]]).slice(0, -1)
    const [x, y] = [side === 'left' ? pupil[0] : -pupil[0], pupil[1]]
    // Corners lie before the eyeball, on flesh.
    const depths = loop
      .filter((_, k) => Math.min(k % 32, 32 - (k % 32)) >= 5)
      .map((i) => {
        const [px, py, pz] = point(i)
        return pz - Math.sqrt((RADIUS + CLEARANCE) ** 2 - (px - x) ** 2 - (py - y) ** 2)
      })
    const center = [x, y, depths.reduce((sum, z) => sum + z / depths.length, 0)]
    // No lid, not even at a corner, may cut the eyeball.
    const distanceOf = (i: number) => distance(point(i), center)
    for (let tries = 0; tries < 40 && Math.min(...loop.map(distanceOf)) < RADIUS + LEAST; tries++) {
      center[2] -= 0.05
    }
    const normals = loop.map((i) => {
      const away = point(i).map((value, c) => value - center[c])
      return away.map((value) => value / Math.hypot(...away))
    })
    const edge = loop.map(point)
    const around: Eye['around'] = []
    for (let vertex = 0; vertex < mesh.skinEnd; vertex++) {
      const place = point(vertex)
      const distances = edge.map((p) => distance(p, place))
      const nearest = Math.min(...distances)
      if (nearest > 3 * REACH) continue
      const near = distances.map((d) => Math.exp(-((d - nearest) ** 2 + 2 * nearest * (d - nearest)) / 4))
      const total = near.reduce((sum, value) => sum + value, 0)
      const fade = Math.exp(-((nearest / REACH) ** 2))
      const own = loop.indexOf(vertex)
      const shares =
        own >= 0
          ? new Map([[own, 1]])
          : new Map(near.map((value, k) => [k, (fade * value) / total] as const).filter(([, s]) => s > 1e-3))
      around.push({ vertex, shares })
    }
    return { side, center, loop, normals, around }
  })
}

/** Where the eyeball goes when lids move, and the lids made to stay on it: each edge vertex keeps its distance.
 *
 * @param field - `[S * 3]` mm displacement of the skin; is corrected
 * @returns the eyeball's displacement
 */
export function followLids(eye: Eye, field: Float64Array): number[] {
  const moves = eye.loop.map((i) => [...field.subarray(i * 3, i * 3 + 3)])
  const mean = [0, 1, 2].map((c) => moves.reduce((sum, move) => sum + move[c] / moves.length, 0))
  const system = Matrix.eye(3).mul(FOLLOW * moves.length)
  const right = Matrix.columnVector(mean.map((value) => value * FOLLOW * moves.length))
  moves.forEach((move, k) => {
    const n = eye.normals[k]
    const along = n.reduce((sum, value, c) => sum + value * move[c], 0)
    for (let r = 0; r < 3; r++) {
      right.set(r, 0, right.get(r, 0) + n[r] * along)
      for (let c = 0; c < 3; c++) system.set(r, c, system.get(r, c) + n[r] * n[c])
    }
  })
  const center = solve(system, right).to1DArray()
  const corrections = moves.map((move, k) => {
    const n = eye.normals[k]
    const missing = n.reduce((sum, value, c) => sum + value * (center[c] - move[c]), 0)
    return n.map((value) => value * missing)
  })
  for (const { vertex, shares } of eye.around) {
    for (const [k, share] of shares) {
      for (let c = 0; c < 3; c++) field[vertex * 3 + c] += share * corrections[k][c]
    }
  }
  return center
}
