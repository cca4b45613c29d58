import type { MorphableModel } from '@facekit/morphable'

/** The rows of a model that landmarks and contours need, in float64: about 200 of its thousands of vertices. */
export interface LandmarkBasis {
  /** `[68]` row of each landmark's own vertex. */
  anchors: Int32Array
  /** For each landmark: rows it may slide over; only its own where it cannot slide. */
  candidates: Int32Array[]
  /** Number of rows V. */
  rows: number
  /** `[V * 3]` mm. */
  mean: Float64Array
  /** Modes, identity before expression, each `[V * 3]` mm. */
  modes: Float64Array[]
  identityCount: number
}

/** Takes the rows of landmarks and jaw contours out of a model. */
export function landmarkBasis(model: MorphableModel): LandmarkBasis {
  const rowOf = new Map<number, number>()
  const row = (vertex: number) => {
    if (!rowOf.has(vertex)) rowOf.set(vertex, rowOf.size)
    return rowOf.get(vertex)!
  }
  const anchors = Int32Array.from(model.landmarks, row)
  const candidates = Array.from(anchors, (anchor, i) => {
    const contour = model.jawContours?.[i]
    return contour?.length ? Int32Array.from(contour, row) : Int32Array.of(anchor)
  })
  const vertices = Int32Array.from(rowOf.keys())
  const gather = (source: ArrayLike<number>, offset: number) => {
    const result = new Float64Array(vertices.length * 3)
    for (let i = 0; i < vertices.length; i++) {
      for (let axis = 0; axis < 3; axis++) result[3 * i + axis] = source[offset + 3 * vertices[i] + axis]
    }
    return result
  }
  const size = model.vertexCount * 3
  const modes = (basis: ArrayLike<number>, count: number) =>
    Array.from({ length: count }, (_, k) => gather(basis, k * size))
  return {
    anchors,
    candidates,
    rows: vertices.length,
    mean: gather(model.shape.mean.data, 0),
    modes: [
      ...modes(model.shape.identity.data, model.layout.identity),
      ...modes(model.shape.expression.data, model.layout.expression),
    ],
    identityCount: model.layout.identity,
  }
}
