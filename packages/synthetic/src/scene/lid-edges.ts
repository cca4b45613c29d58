import type { MorphableModel } from '@facekit/morphable'

/** Edges of the lids of one eye, from the subject's right corner to the left, both included. */
export interface LidEdges {
  upper: number[]
  lower: number[]
}

/** Landmarks of iBUG along each edge. */
const EDGES = {
  right: { upper: [36, 37, 38, 39], lower: [36, 41, 40, 39] },
  left: { upper: [42, 43, 44, 45], lower: [42, 47, 46, 45] },
} as const

/** Vertices of the mesh on the edges of the lids that are seen: the shortest ways along its edges through the landmarks; the landmarks alone where
 * the mesh does not join them.
 */
export function lidEdges(model: MorphableModel): { right: LidEdges; left: LidEdges } {
  const { landmarks } = model
  const neighbours = neighboursOf(model)
  const through = (points: readonly number[]) => {
    const path = [landmarks[points[0]]]
    for (let i = 1; i < points.length; i++) {
      path.push(...shortestWay(model, neighbours, landmarks[points[i - 1]], landmarks[points[i]]).slice(1))
    }
    return path
  }
  const eye = ({ upper, lower }: (typeof EDGES)[keyof typeof EDGES]): LidEdges => ({
    upper: through(upper),
    lower: through(lower),
  })
  return { right: eye(EDGES.right), left: eye(EDGES.left) }
}

function neighboursOf({ triangles, vertexCount }: MorphableModel): Set<number>[] {
  const result = Array.from({ length: vertexCount }, () => new Set<number>())
  for (let i = 0; i < triangles.length; i += 3) {
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ]) {
      result[triangles[i + a]].add(triangles[i + b])
      result[triangles[i + b]].add(triangles[i + a])
    }
  }
  return result
}

/** By length on the mean face; farther from the start than `REACH` times the straight line nothing is looked at. */
function shortestWay(
  { shape }: MorphableModel,
  neighbours: readonly Set<number>[],
  from: number,
  to: number,
): number[] {
  const mean = shape.mean.data
  const length = (a: number, b: number) =>
    Math.hypot(...[0, 1, 2].map((c) => mean[a * 3 + c] - mean[b * 3 + c]))
  const limit = REACH * length(from, to)
  const best = new Map<number, { length: number; before: number }>([[from, { length: 0, before: -1 }]])
  const open = new Set([from])
  while (open.size > 0) {
    const next = [...open].reduce((a, b) => (best.get(b)!.length < best.get(a)!.length ? b : a))
    if (next === to) break
    open.delete(next)
    for (const other of neighbours[next]) {
      const total = best.get(next)!.length + length(next, other)
      if (total > limit || total >= (best.get(other)?.length ?? Infinity)) continue
      best.set(other, { length: total, before: next })
      open.add(other)
    }
  }
  if (!best.has(to)) return [from, to]
  const path: number[] = []
  for (let v = to; v !== -1; v = best.get(v)!.before) path.unshift(v)
  return path
}

const REACH = 2
