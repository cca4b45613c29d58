import type { MorphableModel } from '@facekit/morphable'

/** Vertices farther than this from the nose's tip are not compared: there, meshes end at different places. mm */
const RADIUS = 85
/** Around the middle of an eye, which is not skin, mm. */
const EYE_RADIUS = 17

/** Normals of a surface, and which vertices it has. */
function surface(points: Float32Array, triangles: Int32Array) {
  const normals = new Float64Array(points.length)
  const used = new Set<number>()
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [triangles[t] * 3, triangles[t + 1] * 3, triangles[t + 2] * 3]
    const [ux, uy, uz] = [0, 1, 2].map((k) => points[b + k] - points[a + k])
    const [vx, vy, vz] = [0, 1, 2].map((k) => points[c + k] - points[a + k])
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (const at of [a, b, c]) {
      used.add(at / 3)
      for (let k = 0; k < 3; k++) normals[at + k] += normal[k]
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1
    for (let k = 0; k < 3; k++) normals[i + k] /= length
  }
  return { normals, used: [...used] }
}

/** Mean distance over the surface, mm, of the true face's points to the planes of the fitted one, after ICP with scale. */
export function pointToPlane(
  ict: MorphableModel,
  truth: Float32Array,
  model: MorphableModel,
  fitted: Float32Array,
): number {
  const { used: candidates, normals: outwards } = surface(truth, ict.triangles)
  const at = (points: ArrayLike<number>, i: number) => [points[i * 3], points[i * 3 + 1], points[i * 3 + 2]]
  const distance = (p: number[], q: number[]) => Math.hypot(...p.map((value, k) => value - q[k]))
  const tip = at(truth, ict.landmarks[30])
  const eyes = [36, 42].map((start) => {
    const lids = Array.from({ length: 6 }, (_, k) => at(truth, ict.landmarks[start + k]))
    return [0, 1, 2].map((c) => lids.reduce((sum, p) => sum + p[c] / 6, 0))
  })
  // Skin that faces forwards and is seen from there: without eyeballs, sockets behind the lids, nostrils, the mouth's inside.
  const { areas, front } = visibleFront(truth, ict.triangles)
  const near = candidates.filter((i) => {
    const point = at(truth, i)
    return (
      outwards[i * 3 + 2] > 0.15 &&
      front[i] &&
      distance(point, tip) < RADIUS &&
      eyes.every((eye) => distance(point, eye) > EYE_RADIUS)
    )
  })
  const { normals } = surface(fitted, model.triangles)
  const eyeballs = new Set([...(model.regions?.eyeLeft ?? []), ...(model.regions?.eyeRight ?? [])])
  const target = surface(fitted, model.triangles).used.filter((i) => !eyeballs.has(i))
  // Landmarks of the inner face first, then the surface.
  const inner = Array.from({ length: 51 }, (_, k) => k + 17)
  let moved = similarity(
    inner.map((l) => at(truth, ict.landmarks[l])),
    inner.map((l) => at(fitted, model.landmarks[l])),
  )(near.map((i) => at(truth, i)))
  const nearest = (point: number[]) => {
    let [best, least] = [-1, Infinity]
    for (const j of target) {
      const dx = fitted[j * 3] - point[0]
      const dy = fitted[j * 3 + 1] - point[1]
      const dz = fitted[j * 3 + 2] - point[2]
      const d = dx * dx + dy * dy + dz * dz
      if (d < least) [best, least] = [j, d]
    }
    return best
  }
  const plane = (point: number[], j: number) =>
    [0, 1, 2].reduce((sum, k) => sum + (point[k] - fitted[j * 3 + k]) * normals[j * 3 + k], 0)
  for (let round = 0; round < 8; round++) {
    const some = moved.filter((_, i) => i % 3 === 0)
    const feet = some.map((point) => {
      const j = nearest(point)
      const d = plane(point, j)
      return point.map((value, k) => value - d * normals[j * 3 + k])
    })
    moved = similarity(some, feet)(moved)
  }
  const distances = moved.map((point) => Math.abs(plane(point, nearest(point))))
  // In units of the true face.
  const scale = spread(near.map((i) => at(truth, i))) / spread(moved)
  let [sum, total] = [0, 0]
  near.forEach((i, k) => {
    sum += areas[i] * distances[k]
    total += areas[i]
  })
  return (scale * sum) / total
}

/** Each vertex's share of the surface, mm^2, and whether nothing lies before it, seen along -z: a depth buffer of 1 mm. */
function visibleFront(points: Float32Array, triangles: Int32Array) {
  const depth = new Map<number, number>()
  const areas = new Float64Array(points.length / 3)
  const cell = (x: number, y: number) => Math.floor(x) * 4096 + Math.floor(y)
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => points.subarray(triangles[t + k] * 3, triangles[t + k] * 3 + 3))
    const [u, v] = [b, c].map((p) => [p[0] - a[0], p[1] - a[1], p[2] - a[2]])
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    for (let k = 0; k < 3; k++) areas[triangles[t + k]] += Math.hypot(...normal) / 6
    // Points of a grid fine enough that no cell inside of the triangle is missed.
    const steps = Math.ceil(2 * Math.max(Math.hypot(...u), Math.hypot(...v))) + 1
    for (let i = 0; i <= steps; i++) {
      for (let j = 0; i + j <= steps; j++) {
        const [p, q] = [i / steps, j / steps]
        const z = a[2] + p * u[2] + q * v[2]
        const key = cell(a[0] + p * u[0] + q * v[0], a[1] + p * u[1] + q * v[1])
        if (z > (depth.get(key) ?? -Infinity)) depth.set(key, z)
      }
    }
  }
  // Within a cell, a steep surface spans some millimetres.
  const front = Array.from(
    { length: points.length / 3 },
    (_, i) => points[i * 3 + 2] > (depth.get(cell(points[i * 3], points[i * 3 + 1])) ?? Infinity) - 3,
  )
  return { areas, front }
}

const spread = (points: number[][]) => {
  const center = [0, 1, 2].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length)
  return Math.sqrt(
    points.reduce((sum, p) => sum + p.reduce((s, v, k) => s + (v - center[k]) ** 2, 0), 0) / points.length,
  )
}

/** Least-squares similarity by Horn's quaternions: power iteration on his 4 x 4 matrix. */
function similarity(from: number[][], to: number[][]): (points: number[][]) => number[][] {
  const mean = (points: number[][]) =>
    [0, 1, 2].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length)
  const [a, b] = [mean(from), mean(to)]
  const s = [0, 1, 2].map((r) =>
    [0, 1, 2].map((c) => from.reduce((sum, p, i) => sum + (p[r] - a[r]) * (to[i][c] - b[c]), 0)),
  )
  const matrix = [
    [s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]],
    [s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]],
    [s[2][0] - s[0][2], s[0][1] + s[1][0], s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1]],
    [s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], s[2][2] - s[0][0] - s[1][1]],
  ]
  const shift = Math.max(...matrix.map((row) => row.reduce((sum, v) => sum + Math.abs(v), 0)))
  let q = [1, 0, 0, 0]
  for (let round = 0; round < 500; round++) {
    const next = matrix.map((row, r) => row.reduce((sum, v, c) => sum + v * q[c], shift * q[r]))
    const length = Math.hypot(...next)
    q = next.map((v) => v / length)
  }
  const [w, x, y, z] = q
  const rotation = [
    [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ]
  const turn = (p: number[]) => rotation.map((row) => row.reduce((sum, v, k) => sum + v * (p[k] - a[k]), 0))
  let [above, below] = [0, 0]
  from.forEach((p, i) => {
    above += turn(p).reduce((sum, v, k) => sum + v * (to[i][k] - b[k]), 0)
    below += p.reduce((sum, v, k) => sum + (v - a[k]) ** 2, 0)
  })
  return (points) => points.map((p) => turn(p).map((v, k) => (above / below) * v + b[k]))
}
