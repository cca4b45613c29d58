/** Rims of a mesh: chains of edges that belong to one triangle only, each closed.
 *
 * @param triangles - `[F * 3]`
 * @returns vertices of each loop in the order in which the triangles run along it (the surface lies to the left); loops that
 * touch in a vertex are taken apart
 */
export function boundaryLoops(triangles: Int32Array): Int32Array[] {
  let largest = 0
  for (const vertex of triangles) if (vertex > largest) largest = vertex
  const key = (a: number, b: number) => a * (largest + 1) + b
  const directed = new Set<number>()
  forEachEdge(triangles, (a, b) => directed.add(key(a, b)))
  const next = new Map<number, number[]>()
  forEachEdge(triangles, (a, b) => {
    if (directed.has(key(b, a))) return
    const followers = next.get(a)
    if (followers) followers.push(b)
    else next.set(a, [b])
  })
  const loops: Int32Array[] = []
  for (const start of next.keys()) {
    while (next.get(start)?.length) {
      const path: number[] = [start]
      const at = new Map([[start, 0]])
      for (let vertex = next.get(start)!.pop(); vertex !== undefined; vertex = next.get(vertex)?.pop()) {
        const seen = at.get(vertex)
        if (seen !== undefined) {
          const loop = path.splice(seen)
          for (const member of loop) at.delete(member)
          if (loop.length >= 3) loops.push(Int32Array.from(loop))
        }
        at.set(vertex, path.length)
        path.push(vertex)
      }
    }
  }
  return loops
}

function forEachEdge(triangles: Int32Array, visit: (a: number, b: number) => void): void {
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) visit(triangles[t + k], triangles[t + ((k + 1) % 3)])
  }
}
