import { eyeballSides } from '../rig/eyeball-sides.js'
import { denseData } from '../model/dense-data.js'
import type { MorphableModel } from '../model/morphable-model.js'
import { TriangleTree, normalsOf, registerMesh } from '@facekit/mesh'

/** For each vertex of one model, the point of another model's surface that lies at the same place of the face. */
export interface SurfaceCorrespondence {
  /** `[N * 3]` vertices of the other model. */
  vertices: Int32Array
  /** `[N * 3]` their weights, which sum to 1. */
  weights: Float32Array
  /** `[N]` mm between the vertex and its point, after registration: what is far has no counterpart. */
  distances: Float32Array
}

/** Brings the mean of a model onto that of another and pairs their surfaces.
 *
 * Skin is registered from the 68 landmarks on (see `registerMesh`) and paired by closest points; eyeballs are paired with
 * eyeballs, moved and scaled onto each other.
 *
 * @param model - whose vertices get a counterpart
 * @param other - whose surface is looked at
 */
export function surfaceCorrespondence(model: MorphableModel, other: MorphableModel): SurfaceCorrespondence {
  const mean = denseData(model.shape.mean)
  const otherMean = denseData(other.shape.mean)
  const eyes = eyeballSides(model)
  const otherEyes = eyeballSides(other)
  const result: SurfaceCorrespondence = {
    vertices: new Int32Array(model.vertexCount * 3),
    weights: new Float32Array(model.vertexCount * 3),
    distances: new Float32Array(model.vertexCount),
  }
  const pick = (list: ArrayLike<number>, vertices: Int32Array) =>
    Float64Array.from(
      { length: vertices.length * 3 },
      (_, i) => list[vertices[Math.floor(i / 3)] * 3 + (i % 3)],
    )
  const skin = trianglesOf(model.triangles, eyes, 0)
  const otherSkin = trianglesOf(other.triangles, otherEyes, 0)
  const warped = registerMesh(
    { positions: otherMean, triangles: otherSkin },
    { positions: mean, triangles: skin },
    { points: { from: pick(otherMean, other.landmarks), to: pick(mean, model.landmarks) } },
  )
  pair(result, mean, skin, warped, otherSkin, (v) => eyes[v] === 0)
  for (const eye of [1, 2]) {
    const here = trianglesOf(model.triangles, eyes, eye)
    const there = trianglesOf(other.triangles, otherEyes, eye)
    if (here.length === 0) continue
    if (there.length === 0) {
      pair(result, mean, here, warped, otherSkin, (v) => eyes[v] === eye)
      continue
    }
    const [a, b] = [eyeSphere(otherMean, there), eyeSphere(mean, here)]
    const moved = Float64Array.from(
      otherMean,
      (value, i) => ((value - a.center[i % 3]) * b.radius) / a.radius + b.center[i % 3],
    )
    pair(result, mean, here, moved, there, (v) => eyes[v] === eye)
  }
  return result
}

function trianglesOf(triangles: Int32Array, eyes: Uint8Array, eye: number): Int32Array {
  const result: number[] = []
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]]
    if (corners.every((corner) => eyes[corner] === eye)) result.push(...corners)
  }
  return Int32Array.from(result)
}

/** Middle and size of an eyeball as it is seen: its front, since some models have no back. */
function eyeSphere(
  positions: ArrayLike<number>,
  triangles: Int32Array,
): { center: readonly [number, number, number]; radius: number } {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (const vertex of triangles) {
    for (let c = 0; c < 3; c++) {
      low[c] = Math.min(low[c], positions[vertex * 3 + c])
      high[c] = Math.max(high[c], positions[vertex * 3 + c])
    }
  }
  // The width is what all have; the front pole is where the cornea is.
  const radius = (high[0] - low[0] + (high[1] - low[1])) / 4
  return { center: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2] - radius], radius }
}

function pair(
  result: SurfaceCorrespondence,
  positions: ArrayLike<number>,
  triangles: Int32Array,
  otherPositions: ArrayLike<number>,
  otherTriangles: Int32Array,
  belongs: (vertex: number) => boolean,
): void {
  const tree = new TriangleTree(otherPositions, otherTriangles)
  const normals = normalsOf(positions, triangles)
  const otherNormals = normalsOf(otherPositions, otherTriangles)
  for (let v = 0; v * 3 < positions.length; v++) {
    if (!belongs(v)) continue
    const agrees = (t: number) => {
      const corner = otherTriangles[t]
      let sum = 0
      for (let c = 0; c < 3; c++) sum += normals[v * 3 + c] * otherNormals[corner * 3 + c]
      return sum > -0.2
    }
    const at = [positions[v * 3], positions[v * 3 + 1], positions[v * 3 + 2]] as const
    const near = tree.nearest(...at)!
    const found = agrees(near.triangle) ? near : (tree.nearest(...at, { accept: agrees }) ?? near)
    for (let k = 0; k < 3; k++) {
      result.vertices[v * 3 + k] = otherTriangles[found.triangle + k]
      result.weights[v * 3 + k] = found.weights[k]
    }
    result.distances[v] = found.distance
  }
}
