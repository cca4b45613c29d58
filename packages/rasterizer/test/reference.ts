type Vector = readonly [number, number, number]

const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

/** Barycentrics by solving [x y w]^T b = (ndc x, ndc y, 1) by Cramer's rule; also the ray's parameter. */
function solve(
  clip: ArrayLike<number>,
  indices: ArrayLike<number>,
  px: number,
  py: number,
  W: number,
  H: number,
) {
  const [a, b, c] = Array.from(indices, (i): Vector => [clip[4 * i], clip[4 * i + 1], clip[4 * i + 3]])
  const target: Vector = [(2 * px) / W - 1, 1 - (2 * py) / H, 1]
  const determinant = dot(a, cross(b, c))
  return {
    weights: [dot(target, cross(b, c)), dot(target, cross(c, a)), dot(target, cross(a, b))].map(
      (v) => v / determinant,
    ),
    determinant,
  }
}

/** Perspective-correct barycentrics of a pixel in float64. */
export function referenceBarycentrics(
  clip: ArrayLike<number>,
  a: number,
  b: number,
  c: number,
  px: number,
  py: number,
  W: number,
  H: number,
): number[] {
  const { weights } = solve(clip, [a, b, c], px, py, W, H)
  const sum = weights[0] + weights[1] + weights[2]
  return weights.map((weight) => weight / sum)
}

/** Nearest triangle along the ray through a pixel, by intersecting every triangle: no projection, no clipping. */
export function referenceVisibility(
  clip: ArrayLike<number>,
  triangles: Int32Array,
  px: number,
  py: number,
  W: number,
  H: number,
): { id: number; depth: number } {
  let best = { id: -1, depth: 1 }
  for (let f = 0; f < triangles.length / 3; f++) {
    const indices = triangles.slice(3 * f, 3 * f + 3)
    // sum_i weight_i (x, y, w)_i = (ndc, 1): all weights positive means inside and in front of the eye.
    const { weights, determinant } = solve(clip, indices, px, py, W, H)
    if (determinant === 0 || weights.some((weight) => weight < 0)) continue
    const depth = weights.reduce((sum: number, weight, i) => sum + weight * clip[4 * indices[i] + 2], 0)
    if (depth < -1 || depth > 1) continue
    if (best.id < 0 || depth < best.depth) best = { id: f, depth }
  }
  return best
}
