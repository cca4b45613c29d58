import type { MorphableModel } from '@facekit/morphable'

/** Landmarks of a face on the CPU, in model space: `[68 * 3]` from coefficients. */
export type LandmarkShape = (identity: ArrayLike<number>, expression: ArrayLike<number>) => Float64Array

/** Takes the rows of the landmarks out of a model's bases, which makes 68 points of 132 coefficients a matter of microseconds. */
export function landmarkShape(model: MorphableModel): LandmarkShape {
  const { landmarks, vertexCount } = model
  const rows = (data: ArrayLike<number>, modes: number) => {
    const result = new Float64Array(modes * landmarks.length * 3)
    for (let k = 0, to = 0; k < modes; k++) {
      for (const vertex of landmarks) {
        for (let c = 0; c < 3; c++) result[to++] = data[(k * vertexCount + vertex) * 3 + c]
      }
    }
    return result
  }
  const mean = rows(model.shape.mean.data, 1)
  const identityRows = rows(model.shape.identity.data, model.layout.identity)
  const expressionRows = rows(model.shape.expression.data, model.layout.expression)
  return (identity, expression) => {
    const points = mean.slice()
    addModes(points, identityRows, identity)
    addModes(points, expressionRows, expression)
    return points
  }
}

function addModes(points: Float64Array, rows: Float64Array, coefficients: ArrayLike<number>): void {
  for (let k = 0; k < coefficients.length; k++) {
    if (coefficients[k] === 0) continue
    const start = k * points.length
    for (let i = 0; i < points.length; i++) points[i] += coefficients[k] * rows[start + i]
  }
}
