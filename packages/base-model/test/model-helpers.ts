import type { MorphableModel } from '@facekit/morphable'

/** Coordinates of a vertex. */
export const at = (points: ArrayLike<number>, i: number): [number, number, number] => [
  points[i * 3],
  points[i * 3 + 1],
  points[i * 3 + 2],
]

/** The face with some modes switched on, by number or by expression name. */
export function shapeOf(
  model: MorphableModel,
  {
    identity = {},
    expression = {},
  }: { identity?: Record<number, number>; expression?: Record<string, number> },
): Float32Array {
  const size = model.vertexCount * 3
  const result = Float32Array.from(model.shape.mean.data)
  const add = (basis: ArrayLike<number>, mode: number, amount: number) => {
    for (let i = 0; i < size; i++) result[i] += amount * basis[mode * size + i]
  }
  for (const [mode, amount] of Object.entries(identity)) add(model.shape.identity.data, Number(mode), amount)
  for (const [name, amount] of Object.entries(expression)) {
    add(model.shape.expression.data, model.shape.expressionNames!.indexOf(name), amount)
  }
  return result
}

/** The mean's diffuse albedo plus modes. */
export function albedoOf(model: MorphableModel, coefficients: ArrayLike<number>): Float32Array {
  const size = model.vertexCount * 3
  const result = Float32Array.from(model.albedo.diffuseMean.data)
  for (let k = 0; k < coefficients.length; k++) {
    for (let i = 0; i < size; i++) result[i] += coefficients[k] * model.albedo.diffuse.data[k * size + i]
  }
  return result
}

/** Signed area of triangles seen from the front, mm^2: positive where they face the camera. */
export function frontArea(
  points: ArrayLike<number>,
  triangles: ArrayLike<number>,
): { total: number; front: number } {
  let total = 0
  let front = 0
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => at(points, triangles[t + k]))
    const area = ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2
    total += Math.abs(area)
    if (area > 0) front += area
  }
  return { total, front }
}
