import type { Surface } from '@facekit/mesh'

type Point = readonly [number, number, number]

/** Nearest point of a triangle in another way than the package's: the plane's foot where it lies inside, else the nearest point of the three sides. */
function nearestOfTriangle(p: Point, [a, b, c]: readonly Point[]): Point {
  const [u, v, w] = [sub(b, a), sub(c, a), sub(p, a)]
  const [uu, uv, vv, wu, wv] = [dot(u, u), dot(u, v), dot(v, v), dot(w, u), dot(w, v)]
  const determinant = uu * vv - uv * uv
  const [s, t] = [(vv * wu - uv * wv) / determinant, (uu * wv - uv * wu) / determinant]
  if (determinant > 0 && s >= 0 && t >= 0 && s + t <= 1) return along(along(a, u, s), v, t)
  return [
    [a, b],
    [b, c],
    [c, a],
  ]
    .map(([from, to]) => {
      const side = sub(to, from)
      const share = Math.min(1, Math.max(0, dot(sub(p, from), side) / dot(side, side)))
      return along(from, side, share)
    })
    .reduce((best, q) => (norm(sub(q, p)) < norm(sub(best, p)) ? q : best))
}

/** Nearest point of a surface to each point, by looking at every triangle. */
export function nearestByForce(points: ArrayLike<number>, { positions, triangles }: Surface) {
  const at = (list: ArrayLike<number>, i: number): Point => [list[i * 3], list[i * 3 + 1], list[i * 3 + 2]]
  return Array.from({ length: points.length / 3 }, (_, i) => {
    const p = at(points, i)
    let [point, triangle, distance]: [Point, number, number] = [p, -1, Infinity]
    for (let t = 0; t < triangles.length; t += 3) {
      const q = nearestOfTriangle(
        p,
        [0, 1, 2].map((k) => at(positions, triangles[t + k])),
      )
      if (norm(sub(q, p)) < distance) [point, triangle, distance] = [q, t, norm(sub(q, p))]
    }
    return { point, triangle, distance }
  })
}

export const sub = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
export const dot = (a: Point, b: Point) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
export const norm = (a: Point) => Math.sqrt(dot(a, a))
const along = (a: Point, b: Point, t: number): Point => [a[0] + t * b[0], a[1] + t * b[1], a[2] + t * b[2]]
