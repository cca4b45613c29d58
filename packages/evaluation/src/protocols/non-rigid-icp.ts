import { TriangleTree, solveSymmetric, type Surface } from '@facekit/mesh'

/** Stages of `nonRigidIcp`, and what holds the surface together. */
export interface NonRigidOptions {
  /** Stiffness of each stage. */
  stiffness: readonly number[]
  /** A stage ends when the norm of the change of all transforms is no larger. */
  tolerances: readonly number[]
  /** Most steps of a stage. Default: any number. */
  steps?: number
  /** Vertices of the surface that have a given goal. */
  keypoints?: {
    vertices: ArrayLike<number>
    /** `[K * 3]` */
    goals: ArrayLike<number>
    /** Weight of the goals at a step, counted from 0. */
    weight: (step: number) => number
    /** Stiffness of a step before all others in which only the goals count, with rotations held less than depths: weights 2, 2, 3, 2. */
    firstStiffness: number
  }
}

/** Weights of the four rows of an affine transform in the stiffness. */
const EVEN = [1, 1, 1, 1]
const FIRST = [2, 2, 3, 2]

// Contributor notes. The normal equations have 4 N unknowns for each axis. They are solved by conjugate gradients with 4 x 4 blocks as the
// preconditioner, which needs no sparse factorisation and stays exact to the tolerance of 1e-10 that tests compare with a dense solution.

/** Deforms a surface towards points by an affine transform at each vertex, alike at neighbours (Amberg, Romdhani and Vetter, CVPR 2007).
 *
 * Each step finds the nearest of the points for every vertex, leaves out those farther than twice the mean (and one unit), and minimises
 * `sum over edges |stiffness (X_i - X_j) G|^2 + sum |v_i X_i - u_i|^2`. Units matter: stiffness compares transforms with distances.
 *
 * @param points - `[P * 3]`
 * @returns `[N * 3]`
 */
export function nonRigidIcp(
  surface: Surface,
  points: ArrayLike<number>,
  options: NonRigidOptions,
): Float64Array {
  const { keypoints, steps = Infinity } = options
  const count = surface.positions.length / 3
  const edges = edgesOf(surface.triangles)
  const tree = new TriangleTree(
    points,
    Int32Array.from({ length: points.length }, (_, i) => Math.floor(i / 3)),
  )
  let positions: Float64Array = Float64Array.from(surface.positions)
  let transforms: Float64Array = new Float64Array(count * 12).fill(1)
  let done = 0
  let change = Infinity
  const advance = (system: Omit<System, 'positions' | 'edges'>) => {
    const next = solveTransforms({ positions, edges, ...system }, transforms)
    change = Math.sqrt(next.reduce((sum, value, i) => sum + (value - transforms[i]) ** 2, 0))
    transforms = next
    positions = applyTransforms(positions, transforms)
    done++
  }
  const goalsOf = (weight: number, goals: Float64Array, weights: Float64Array) => {
    if (!keypoints) return
    for (let k = 0; k < keypoints.vertices.length; k++) {
      const vertex = keypoints.vertices[k]
      // Two terms for one vertex are one, with the weighted mean as its goal.
      const own = weights[vertex]
      const total = own + weight * weight
      for (let c = 0; c < 3; c++) {
        const at = vertex * 3 + c
        goals[at] = (own * goals[at] + weight * weight * keypoints.goals[k * 3 + c]) / total
      }
      weights[vertex] = total
    }
  }
  if (keypoints && keypoints.vertices.length > 0) {
    const goals = new Float64Array(count * 3)
    const weights = new Float64Array(count)
    goalsOf(keypoints.weight(0), goals, weights)
    advance({ goals, weights, stiffness: keypoints.firstStiffness, rows: FIRST })
  }
  for (const [stage, stiffness] of options.stiffness.entries()) {
    // A stage whose predecessor ended within its own tolerance takes no step.
    for (let step = 0; step < steps && change > options.tolerances[stage]; step++) {
      const { goals, weights } = nearestGoals(tree, points, positions)
      if (keypoints) goalsOf(keypoints.weight(done), goals, weights)
      advance({ goals, weights, stiffness, rows: EVEN })
    }
  }
  return positions
}

function nearestGoals(tree: TriangleTree, points: ArrayLike<number>, positions: Float64Array) {
  const count = positions.length / 3
  const goals = new Float64Array(count * 3)
  const distances = new Float64Array(count)
  for (let v = 0; v < count; v++) {
    const found = tree.nearest(positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2])!
    distances[v] = found.distance
    for (let c = 0; c < 3; c++) goals[v * 3 + c] = points[found.triangle + c]
  }
  const limit = Math.max((2 * distances.reduce((sum, distance) => sum + distance, 0)) / count, 1)
  return { goals, weights: distances.map((distance) => (distance < limit ? 1 : 0)) }
}

/** Each edge once, as pairs of vertices. */
function edgesOf(triangles: Int32Array): Int32Array {
  const seen = new Set<number>()
  const edges: number[] = []
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const [a, b] = [triangles[t + k], triangles[t + ((k + 1) % 3)]]
      const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b)
      if (seen.has(key)) continue
      seen.add(key)
      edges.push(a, b)
    }
  }
  return Int32Array.from(edges)
}

interface System {
  /** `[N * 3]` */
  positions: Float64Array
  /** `[E * 2]` */
  edges: Int32Array
  /** `[N * 3]` */
  goals: Float64Array
  /** `[N]` squared weights of the goals. */
  weights: Float64Array
  stiffness: number
  rows: readonly number[]
}

/** `[N * 12]` the transforms that solve a step: four rows of three, the last one the translation. */
function solveTransforms(system: System, start: Float64Array): Float64Array {
  const { positions, goals, weights } = system
  const right = new Float64Array(start.length)
  for (let v = 0; v < weights.length; v++) {
    for (let r = 0; r < 4; r++) {
      const own = weights[v] * (r < 3 ? positions[v * 3 + r] : 1)
      for (let c = 0; c < 3; c++) right[v * 12 + r * 3 + c] = own * goals[v * 3 + c]
    }
  }
  const precondition = blockInverse(system)
  const x = start.slice()
  const residual = applySystem(system, x).map((value, i) => right[i] - value)
  let direction = precondition(residual)
  let energy = dot(residual, direction)
  const goal = 1e-20 * Math.max(dot(right, precondition(right)), 1e-300)
  for (let i = 0; i < 4 * start.length && energy > goal; i++) {
    const image = applySystem(system, direction)
    const length = energy / dot(direction, image)
    for (let k = 0; k < x.length; k++) {
      x[k] += length * direction[k]
      residual[k] -= length * image[k]
    }
    const conditioned = precondition(residual)
    const next = dot(residual, conditioned)
    const share = next / energy
    direction = conditioned.map((value, k) => value + share * direction[k])
    energy = next
  }
  return x
}

function applySystem({ positions, edges, weights, stiffness, rows }: System, x: Float64Array): Float64Array {
  const result = new Float64Array(x.length)
  for (let v = 0; v < weights.length; v++) {
    if (weights[v] === 0) continue
    const [px, py, pz] = [positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2]]
    for (let c = 0; c < 3; c++) {
      const at = v * 12 + c
      const value = weights[v] * (px * x[at] + py * x[at + 3] + pz * x[at + 6] + x[at + 9])
      result[at] += px * value
      result[at + 3] += py * value
      result[at + 6] += pz * value
      result[at + 9] += value
    }
  }
  const squares = rows.map((row) => (row * stiffness) ** 2)
  for (let e = 0; e < edges.length; e += 2) {
    const [a, b] = [edges[e] * 12, edges[e + 1] * 12]
    for (let k = 0; k < 12; k++) {
      const value = squares[Math.floor(k / 3)] * (x[a + k] - x[b + k])
      result[a + k] += value
      result[b + k] -= value
    }
  }
  return result
}

/** Solves with the 4 x 4 block of each vertex alone. */
function blockInverse({ positions, edges, weights, stiffness, rows }: System) {
  const count = weights.length
  const degree = new Float64Array(count)
  for (const vertex of edges) degree[vertex]++
  const inverse = new Float64Array(count * 16)
  for (let v = 0; v < count; v++) {
    const p = [positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2], 1]
    const block = new Float64Array(16)
    for (let r = 0; r < 4; r++) {
      for (let c = 0; c < 4; c++) block[r * 4 + c] = weights[v] * p[r] * p[c]
      block[r * 5] += (rows[r] * stiffness) ** 2 * degree[v] + 1e-12
    }
    const columns = [0, 1, 2, 3].map((k) => Float64Array.from([0, 1, 2, 3], (i) => (i === k ? 1 : 0)))
    solveSymmetric(block, columns)
    for (let r = 0; r < 4; r++) for (let c = 0; c < 4; c++) inverse[v * 16 + r * 4 + c] = columns[c][r]
  }
  return (x: Float64Array): Float64Array => {
    const result = new Float64Array(x.length)
    for (let v = 0; v < count; v++) {
      for (let r = 0; r < 4; r++) {
        for (let k = 0; k < 4; k++) {
          const factor = inverse[v * 16 + r * 4 + k]
          for (let c = 0; c < 3; c++) result[v * 12 + r * 3 + c] += factor * x[v * 12 + k * 3 + c]
        }
      }
    }
    return result
  }
}

function applyTransforms(positions: Float64Array, transforms: Float64Array): Float64Array {
  return positions.map((_, i) => {
    const at = Math.floor(i / 3) * 12 + (i % 3)
    const p = i - (i % 3)
    return (
      positions[p] * transforms[at] +
      positions[p + 1] * transforms[at + 3] +
      positions[p + 2] * transforms[at + 6] +
      transforms[at + 9]
    )
  })
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}
