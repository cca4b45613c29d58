import { meshNeighbours, type Neighbours } from '@facekit/mesh'
import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { findMouthOpening, type MouthOpening } from '../landmarks/mouth-opening.js'

/** What is farther from the lips' rim stays, mm. */
const REACH = 38
/** How far both lips come towards each other: half the way each. */
const UPPER_SHARE = 0.5
/** When the plate is bent: its residual against that of the start. */
const PRECISION = 1e-3
const MOST_STEPS = 1000

/** ARKit's `mouthClose` for a model that lacks it: how vertices move so that lips which `jawOpen` has parted meet again, while the jaw stays open.
 *
 * The two rims of the opening meet half way between where `jawOpen` takes them; what is around them follows as a thin plate (bi-Laplacian of the mesh), up to 38 mm
 * from the lips.
 *
 * @param jawOpen - `[N * 3]` mm
 * @returns `[N * 3]` mm, or undefined for a mesh whose lips are sealed
 */
export function mouthClose(model: MorphableModel, jawOpen: ArrayLike<number>): Float32Array | undefined {
  const mean = denseData(model.shape.mean)
  const middle = [0, 1, 2].map(
    (c) => Array.from(model.landmarks.subarray(60, 68)).reduce((sum, v) => sum + mean[3 * v + c], 0) / 8,
  ) as [number, number, number]
  const opening = findMouthOpening(mean, model.triangles, middle)
  if (!opening) return undefined
  const count = model.vertexCount
  const fixed = new Uint8Array(count)
  const values = new Float64Array(3 * count)
  const rim = [...opening.upper, ...opening.lower]
  for (let v = 0; v < count; v++) {
    let nearest = Infinity
    for (const r of rim) nearest = Math.min(nearest, distance(mean, v, r))
    if (nearest > REACH) fixed[v] = 1
  }
  for (const [vertex, goal] of meetingPlaces(mean, jawOpen, opening)) {
    fixed[vertex] = 1
    for (let c = 0; c < 3; c++) values[3 * vertex + c] = goal[c] - jawOpen[3 * vertex + c]
  }
  const skin = new Uint8Array(count)
  for (const v of model.triangles) skin[v] = 1
  // Lips and the sheet between them one after the other: across the sheet two rims that part lie side by side, and a plate would bulge on both sides of it.
  bendPlate(
    meshNeighbours(model.triangles, count),
    fixed.map((is, v) => (is || !skin[v] ? 1 : 0)),
    values,
  )
  bendPlate(meshNeighbours(model.innerMouthTriangles, count), skin, values)
  return Float32Array.from(values)
}

/** Where each vertex of the rims goes: the mean of both lips' movements at its place between the corners. */
function meetingPlaces(
  mean: ArrayLike<number>,
  jawOpen: ArrayLike<number>,
  { upper, lower }: MouthOpening,
): Map<number, number[]> {
  const along = [upper, lower].map((lip) => shares(mean, lip))
  const movement = (lip: Int32Array, places: number[], share: number) => {
    let i = 1
    while (i < lip.length - 1 && places[i] < share) i++
    const t = Math.min(1, Math.max(0, (share - places[i - 1]) / (places[i] - places[i - 1] || 1)))
    return [0, 1, 2].map((c) => (1 - t) * jawOpen[3 * lip[i - 1] + c] + t * jawOpen[3 * lip[i] + c])
  }
  const goals = new Map<number, number[]>()
  for (const [k, lip] of [upper, lower].entries())
    for (const [i, vertex] of lip.entries()) {
      const [up, down] = [upper, lower].map((other, o) => movement(other, along[o], along[k][i]))
      goals.set(
        vertex,
        up.map((value, c) => (1 - UPPER_SHARE) * value + UPPER_SHARE * down[c]),
      )
    }
  return goals
}

/** Length of a line up to each of its vertices, as a share of the whole. */
function shares(mean: ArrayLike<number>, lip: Int32Array): number[] {
  const lengths = [0]
  for (let i = 1; i < lip.length; i++) lengths.push(lengths[i - 1] + distance(mean, lip[i - 1], lip[i]))
  return lengths.map((length) => length / lengths.at(-1)!)
}

function distance(points: ArrayLike<number>, a: number, b: number): number {
  return Math.hypot(
    points[3 * a] - points[3 * b],
    points[3 * a + 1] - points[3 * b + 1],
    points[3 * a + 2] - points[3 * b + 2],
  )
}

/** Minimises |L x|^2 over the vertices that are not fixed, L the mesh's uniform Laplacian, by conjugate gradients. */
function bendPlate({ start, list }: Neighbours, fixed: Uint8Array, values: Float64Array): void {
  // Only what touches a free vertex counts.
  const rows: number[] = []
  for (let v = 0; v < fixed.length; v++) {
    const around = list.subarray(start[v], start[v + 1])
    if (around.length > 0 && (!fixed[v] || around.some((other) => !fixed[other]))) rows.push(v)
  }
  const laplacian = (x: Float64Array) => {
    const y = new Float64Array(rows.length)
    for (const [r, v] of rows.entries()) {
      let sum = 0
      for (let i = start[v]; i < start[v + 1]; i++) sum += x[list[i]]
      y[r] = x[v] - sum / (start[v + 1] - start[v])
    }
    return y
  }
  const apply = (x: Float64Array) => {
    const bent = laplacian(x)
    const y = new Float64Array(fixed.length)
    for (const [r, v] of rows.entries()) {
      const share = bent[r] / (start[v + 1] - start[v])
      if (!fixed[v]) y[v] += bent[r]
      for (let i = start[v]; i < start[v + 1]; i++) if (!fixed[list[i]]) y[list[i]] -= share
    }
    return y
  }
  const free = Int32Array.from(fixed.keys()).filter((v) => !fixed[v])
  const dot = (a: Float64Array, b: Float64Array) => {
    let sum = 0
    for (const v of free) sum += a[v] * b[v]
    return sum
  }
  for (let c = 0; c < 3; c++) {
    const x = Float64Array.from(fixed, (_, v) => values[3 * v + c])
    const residual = apply(x).map((value) => -value)
    const direction = Float64Array.from(residual)
    let norm = dot(residual, residual)
    const enough = PRECISION ** 2 * norm
    for (let step = 0; step < MOST_STEPS && norm > enough; step++) {
      const image = apply(direction)
      const length = norm / dot(direction, image)
      for (const v of free) {
        x[v] += length * direction[v]
        residual[v] -= length * image[v]
      }
      const next = dot(residual, residual)
      for (const v of free) direction[v] = residual[v] + (next / norm) * direction[v]
      norm = next
    }
    for (const v of free) values[3 * v + c] = x[v]
  }
}
