import type { IctModel } from './ict-model.js'

type Point = readonly [number, number, number]

const distance = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])

/** Shortest way over the edges of the mesh (Dijkstra), ends included. */
export function shortestPath(
  positions: Float64Array,
  neighbours: readonly ReadonlySet<number>[],
  from: number,
  to: number,
): number[] {
  const point = (i: number): Point => [positions[i * 3], positions[i * 3 + 1], positions[i * 3 + 2]]
  const length = new Map([[from, 0]])
  const before = new Map<number, number>()
  const done = new Set<number>()
  for (let at = from; at !== to;) {
    done.add(at)
    for (const next of neighbours[at]) {
      const way = length.get(at)! + distance(point(at), point(next))
      if (way < (length.get(next) ?? Infinity)) {
        length.set(next, way)
        before.set(next, at)
      }
    }
    let best = -1
    for (const [vertex, way] of length) {
      if (!done.has(vertex) && (best < 0 || way < length.get(best)!)) best = vertex
    }
    if (best < 0) throw new Error(`shortestPath: no way from ${from} to ${to}`)
    at = best
  }
  const path = [to]
  while (path[0] !== from) path.unshift(before.get(path[0])!)
  return path
}

export function vertexNeighbours(triangles: ArrayLike<number>, count: number): Set<number>[] {
  const neighbours = Array.from({ length: count }, () => new Set<number>())
  for (let t = 0; t < triangles.length; t++) {
    const next = t % 3 === 2 ? t - 2 : t + 1
    neighbours[triangles[t]].add(triangles[next])
    neighbours[triangles[next]].add(triangles[t])
  }
  return neighbours
}

/** Points of a polyline at given shares (0..1) of its length. */
export function pointsAlong(line: readonly Point[], shares: readonly number[]): Point[] {
  const reach = [0]
  for (let k = 1; k < line.length; k++) reach.push(reach[k - 1] + distance(line[k - 1], line[k]))
  return shares.map((share) => {
    const wanted = share * reach.at(-1)!
    let k = 1
    while (k < line.length - 1 && reach[k] < wanted) k++
    const t = (wanted - reach[k - 1]) / (reach[k] - reach[k - 1])
    return [0, 1, 2].map((c) => line[k - 1][c] + t * (line[k][c] - line[k - 1][c])) as unknown as Point
  })
}

/** Shares of a polyline's length at its points. */
export function sharesOf(line: readonly Point[]): number[] {
  const reach = [0]
  for (let k = 1; k < line.length; k++) reach.push(reach[k - 1] + distance(line[k - 1], line[k]))
  return reach.map((value) => value / reach.at(-1)!)
}

/** Edges of ICT-FaceKit's mesh through some of its 68 landmarks, one after another. */
export function ictContour(model: IctModel, landmarks: readonly number[]): Point[] {
  const neighbours = vertexNeighbours(model.triangles, model.mean.length / 3)
  const vertices = landmarks
    .slice(1)
    .reduce<number[]>(
      (path, landmark, k) => [
        ...path,
        ...shortestPath(
          model.mean,
          neighbours,
          model.landmarks[landmarks[k]],
          model.landmarks[landmark],
        ).slice(1),
      ],
      [model.landmarks[landmarks[0]]],
    )
  return vertices.map((i): Point => [model.mean[i * 3], model.mean[i * 3 + 1], model.mean[i * 3 + 2]])
}
