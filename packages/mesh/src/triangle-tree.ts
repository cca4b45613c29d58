/** The point of a mesh that is nearest to a given one. */
export interface SurfacePoint {
  /** First index of the triangle in its list. */
  triangle: number
  /** Barycentric weights of its corners. */
  weights: [number, number, number]
  /** Distance, in the unit of the positions. */
  distance: number
}

/** Most triangles in a leaf. */
const LEAF = 4

/** Finds nearest points on a mesh: a balanced tree of boxes, each cut in half along its longest side. */
export class TriangleTree {
  readonly #positions: Float64Array
  readonly #triangles: Int32Array
  /** First indices of the triangles, leaf by leaf. */
  readonly #order: Int32Array
  /** Their corners in that order, nine numbers each: a leaf's lie side by side. */
  readonly #corners: Float64Array
  /** First leaf, and number of leaves; the children of node i are 2i and 2i + 1. */
  readonly #leaves: number
  /** Where each leaf begins in the order, and its end. */
  readonly #starts: Int32Array
  /** Lowest and highest corner of each node's box. */
  readonly #boxes: Float64Array
  /** Weights of the second and third corner at the point that `#squaredDistance` found last. */
  readonly #weights = new Float64Array(2)
  readonly #nearCorners = new Float64Array(9)
  readonly #stack = new Int32Array(64)

  /** @param triangles - `[F * 3]`, at least one */
  constructor(positions: ArrayLike<number>, triangles: Int32Array) {
    this.#positions = Float64Array.from(positions)
    this.#triangles = triangles
    const count = triangles.length / 3
    this.#leaves = 2 ** Math.max(0, Math.ceil(Math.log2(count / LEAF)))
    this.#starts = Int32Array.from({ length: this.#leaves + 1 }, (_, leaf) =>
      Math.floor((leaf * count) / this.#leaves),
    )
    this.#order = sortIntoLeaves(this.#positions, triangles, this.#starts)
    this.#corners = new Float64Array(triangles.length * 3)
    for (let i = 0; i < count; i++) this.#copyCorners(this.#order[i], this.#corners, i * 9)
    this.#boxes = new Float64Array(this.#leaves * 2 * 6)
    this.#fillBoxes()
  }

  #copyCorners(triangle: number, to: Float64Array, at: number): void {
    for (let k = 0; k < 9; k++)
      to[at + k] = this.#positions[this.#triangles[triangle + Math.floor(k / 3)] * 3 + (k % 3)]
  }

  #fillBoxes(): void {
    const [boxes, p] = [this.#boxes, this.#corners]
    for (let node = 0; node < this.#leaves * 2; node++) {
      boxes.fill(Infinity, node * 6, node * 6 + 3)
      boxes.fill(-Infinity, node * 6 + 3, node * 6 + 6)
    }
    for (let i = 0, leaf = 0; i < this.#order.length; i++) {
      while (i >= this.#starts[leaf + 1]) leaf++
      const at = (this.#leaves + leaf) * 6
      for (let corner = i * 9; corner < i * 9 + 9; corner += 3) {
        for (let c = 0; c < 3; c++) {
          boxes[at + c] = Math.min(boxes[at + c], p[corner + c])
          boxes[at + 3 + c] = Math.max(boxes[at + 3 + c], p[corner + c])
        }
      }
    }
    for (let node = this.#leaves - 1; node > 0; node--) {
      const [at, left, right] = [node * 6, node * 12, node * 12 + 6]
      for (let c = 0; c < 3; c++) {
        boxes[at + c] = Math.min(boxes[left + c], boxes[right + c])
        boxes[at + 3 + c] = Math.max(boxes[left + 3 + c], boxes[right + 3 + c])
      }
    }
  }

  /** The nearest point of the mesh.
   *
   * @param options - `within`: what is farther is not looked for; `accept`: which triangles count, by their first index; `near`: the
   *   first index of a triangle that may be the nearest, which makes the search short when it nearly is
   */
  nearest(
    x: number,
    y: number,
    z: number,
    options: { within?: number; accept?: (triangle: number) => boolean; near?: number } = {},
  ): SurfacePoint | undefined {
    const { within = Infinity, accept, near = -1 } = options
    const boxes = this.#boxes
    const stack = this.#stack
    let best = -1
    let bestSquared = within * within
    let [v, w] = [0, 0]
    if (near >= 0 && (!accept || accept(near))) {
      this.#copyCorners(near, this.#nearCorners, 0)
      const squared = this.#squaredDistance(this.#nearCorners, 0, x, y, z)
      if (squared < bestSquared) {
        bestSquared = squared
        best = near
        v = this.#weights[0]
        w = this.#weights[1]
      }
    }
    let depth = 0
    stack[depth++] = 1
    while (depth > 0) {
      const node = stack[--depth]
      // What was found since may be nearer than this whole box.
      if (squaredToBox(boxes, node * 6, x, y, z) >= bestSquared) continue
      if (node < this.#leaves) {
        const left = squaredToBox(boxes, node * 12, x, y, z)
        const right = squaredToBox(boxes, node * 12 + 6, x, y, z)
        const isLeftNearer = left <= right
        stack[depth++] = isLeftNearer ? node * 2 + 1 : node * 2
        stack[depth++] = isLeftNearer ? node * 2 : node * 2 + 1
        continue
      }
      const leaf = node - this.#leaves
      for (let i = this.#starts[leaf]; i < this.#starts[leaf + 1]; i++) {
        const squared = this.#squaredDistance(this.#corners, i * 9, x, y, z)
        if (squared >= bestSquared) continue
        const triangle = this.#order[i]
        if (accept && !accept(triangle)) continue
        bestSquared = squared
        best = triangle
        v = this.#weights[0]
        w = this.#weights[1]
      }
    }
    if (best < 0) return undefined
    return { triangle: best, weights: [1 - v - w, v, w], distance: Math.sqrt(bestSquared) }
  }

  /** Squared distance to a triangle; leaves the weights of its nearest point (Ericson, Real-Time Collision Detection, 5.1.5). */
  #squaredDistance(p: Float64Array, a: number, x: number, y: number, z: number): number {
    const px = x - p[a]
    const py = y - p[a + 1]
    const pz = z - p[a + 2]
    const bx = p[a + 3] - p[a]
    const by = p[a + 4] - p[a + 1]
    const bz = p[a + 5] - p[a + 2]
    const cx = p[a + 6] - p[a]
    const cy = p[a + 7] - p[a + 1]
    const cz = p[a + 8] - p[a + 2]
    const d1 = bx * px + by * py + bz * pz
    const d2 = cx * px + cy * py + cz * pz
    const bb = bx * bx + by * by + bz * bz
    const bc = bx * cx + by * cy + bz * cz
    const cc = cx * cx + cy * cy + cz * cz
    const d3 = d1 - bb
    const d4 = d2 - bc
    const d5 = d1 - bc
    const d6 = d2 - cc
    const va = d3 * d6 - d5 * d4
    const vb = d5 * d2 - d1 * d6
    const vc = d1 * d4 - d3 * d2
    let v = 0
    let w = 0
    if (d1 <= 0 && d2 <= 0) {
      // The corner a.
    } else if (d3 >= 0 && d4 <= d3) {
      v = 1
    } else if (d6 >= 0 && d5 <= d6) {
      w = 1
    } else if (vc <= 0 && d1 >= 0 && d3 <= 0) {
      v = d1 / (d1 - d3)
    } else if (vb <= 0 && d2 >= 0 && d6 <= 0) {
      w = d2 / (d2 - d6)
    } else if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
      w = (d4 - d3) / (d4 - d3 + d5 - d6)
      v = 1 - w
    } else if (va + vb + vc > 0) {
      v = vb / (va + vb + vc)
      w = vc / (va + vb + vc)
    }
    this.#weights[0] = v
    this.#weights[1] = w
    const dx = v * bx + w * cx - px
    const dy = v * by + w * cy - py
    const dz = v * bz + w * cz - pz
    return dx * dx + dy * dy + dz * dz
  }
}

/** Squared distance to the box that begins at a position; infinite for an empty one. */
function squaredToBox(boxes: Float64Array, at: number, x: number, y: number, z: number): number {
  const dx = Math.max(boxes[at] - x, x - boxes[at + 3], 0)
  const dy = Math.max(boxes[at + 1] - y, y - boxes[at + 4], 0)
  const dz = Math.max(boxes[at + 2] - z, z - boxes[at + 5], 0)
  return dx * dx + dy * dy + dz * dz
}

/** First indices of triangles in the order of the leaves: halves of halves, along the longest side of their middles' box. */
function sortIntoLeaves(p: Float64Array, triangles: Int32Array, starts: Int32Array): Int32Array {
  const middles = new Float64Array(triangles.length)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    for (let axis = 0; axis < 3; axis++) middles[t + axis] = p[a + axis] + p[b + axis] + p[c + axis]
  }
  const order = Int32Array.from({ length: triangles.length / 3 }, (_, i) => i * 3)
  const halve = (firstLeaf: number, endLeaf: number): void => {
    if (endLeaf - firstLeaf < 2) return
    const middle = (firstLeaf + endLeaf) / 2
    const [start, end] = [starts[firstLeaf], starts[endLeaf]]
    partition(order, middles, longestAxis(order, middles, start, end), start, starts[middle], end)
    halve(firstLeaf, middle)
    halve(middle, endLeaf)
  }
  halve(0, starts.length - 1)
  return order
}

function longestAxis(order: Int32Array, middles: Float64Array, start: number, end: number): number {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (let i = start; i < end; i++) {
    for (let axis = 0; axis < 3; axis++) {
      const value = middles[order[i] + axis]
      if (value < low[axis]) low[axis] = value
      if (value > high[axis]) high[axis] = value
    }
  }
  const sides = high.map((value, axis) => value - low[axis])
  return sides.indexOf(Math.max(...sides))
}

/** Moves what is smaller along an axis before `middle`, and what is larger behind it (Hoare's selection). */
function partition(
  order: Int32Array,
  middles: Float64Array,
  axis: number,
  start: number,
  middle: number,
  end: number,
): void {
  let [low, high] = [start, end - 1]
  while (low < high) {
    const pivot = middles[order[(low + high) >> 1] + axis]
    let [i, j] = [low, high]
    while (i <= j) {
      while (middles[order[i] + axis] < pivot) i++
      while (middles[order[j] + axis] > pivot) j--
      if (i > j) break
      const swapped = order[i]
      order[i++] = order[j]
      order[j--] = swapped
    }
    if (middle <= j) high = j
    else if (middle >= i) low = i
    else return
  }
}
