import { ValueError } from '@facekit/core'
import ndarray, { type NdArray } from 'ndarray'
import { allZero } from './all-zero.js'
import { denseData } from './dense-data.js'
import type { MorphableModel } from './morphable-model.js'

/** Keeps some of a model's vertices, and the triangles between them.
 *
 * @param keep - a mask, `Uint8Array` or booleans of length N; or an `Int32Array` of the vertices in their new order
 * @returns a model of its own; landmarks, contours, regions and the inner mouth are renumbered. A row of `jawContours` that loses
 * all its vertices becomes its landmark; dense landmarks are left out when a vertex of theirs is lost.
 * @throws {ValueError} when a landmark would be lost, the mask has another length, or a vertex is not there or named twice
 */
export function cropModel(
  model: MorphableModel,
  keep: Uint8Array | readonly boolean[] | Int32Array,
): MorphableModel {
  const kept = keep instanceof Int32Array ? checkVertices(model, keep) : verticesOfMask(model, keep)
  const renumbered = new Int32Array(model.vertexCount).fill(-1)
  for (let i = 0; i < kept.length; i++) renumbered[kept[i]] = i
  const lost = model.landmarks.findIndex((vertex) => renumbered[vertex] < 0)
  if (lost >= 0) {
    throw new ValueError(
      `cropModel: landmark ${lost} (vertex ${model.landmarks[lost]}) would be lost; keep the vertices in model.landmarks`,
    )
  }
  const list = (vertices: Int32Array) => vertices.map((v) => renumbered[v]).filter((v) => v >= 0)
  const landmarks = list(model.landmarks)
  const { denseLandmarks, denseMirror, ...rest } = model
  const { shape, albedo, regions } = model
  const dense = denseLandmarks && list(denseLandmarks)
  return {
    ...rest,
    // Their order is their meaning: all of them or none.
    ...(dense?.length === denseLandmarks?.length && {
      denseLandmarks: dense,
      ...(denseMirror && { denseMirror }),
    }),
    vertexCount: kept.length,
    triangles: remainingTriangles(model.triangles, renumbered),
    innerMouthTriangles: remainingTriangles(model.innerMouthTriangles, renumbered),
    ...(model.polygons && { polygons: remainingPolygons(model.polygons, renumbered) }),
    landmarks,
    ...(model.jawContours && {
      jawContours: model.jawContours.map((row, i) => {
        const left = list(row)
        return left.length > 0 ? left : landmarks.slice(i, i + 1)
      }),
    }),
    ...(model.uv && { uv: pickRows(model.uv, kept) }),
    ...(regions && {
      regions: Object.fromEntries(Object.entries(regions).map(([name, vertices]) => [name, list(vertices)])),
    }),
    shape: {
      ...shape,
      mean: pickRows(shape.mean, kept),
      identity: pickRows(shape.identity, kept),
      expression: pickRows(shape.expression, kept),
    },
    albedo: {
      diffuseMean: pickRows(albedo.diffuseMean, kept),
      diffuse: pickRows(albedo.diffuse, kept),
      specularMean: pickRows(albedo.specularMean, kept),
      specular: pickRows(albedo.specular, kept),
    },
  }
}

function checkVertices({ vertexCount }: MorphableModel, vertices: Int32Array): Int32Array {
  const seen = new Uint8Array(vertexCount)
  for (const vertex of vertices) {
    if (vertex < 0 || vertex >= vertexCount || seen[vertex]) {
      throw new ValueError(
        `cropModel: vertex ${vertex} is ${seen[vertex] ? 'named twice' : 'not there'}, expected each of 0 to ${vertexCount - 1} at most once`,
      )
    }
    seen[vertex] = 1
  }
  return vertices
}

function verticesOfMask({ vertexCount }: MorphableModel, mask: Uint8Array | readonly boolean[]): Int32Array {
  if (mask.length !== vertexCount) {
    throw new ValueError(
      `cropModel: the mask has length ${mask.length}, the model ${vertexCount} vertices; pass an Int32Array to list vertices`,
    )
  }
  return Int32Array.from({ length: vertexCount }, (_, vertex) => vertex).filter((vertex) => mask[vertex])
}

function remainingTriangles(triangles: Int32Array, renumbered: Int32Array): Int32Array {
  const result: number[] = []
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [0, 1, 2].map((k) => renumbered[triangles[t + k]])
    if (corners.every((corner) => corner >= 0)) result.push(...corners)
  }
  return Int32Array.from(result)
}

function remainingPolygons(polygons: Int32Array, renumbered: Int32Array): Int32Array {
  const result: number[] = []
  for (let p = 0; p < polygons.length; p += 4) {
    const corners = [0, 1, 2, 3].map((k) => (polygons[p + k] < 0 ? -1 : renumbered[polygons[p + k]]))
    const lost = [0, 1, 2, 3].filter((k) => corners[k] < 0 && polygons[p + k] >= 0)
    if (lost.length === 0) result.push(...corners)
    // Of a quad, cut into (0, 1, 2) and (0, 2, 3), one triangle can be left.
    else if (polygons[p + 3] >= 0 && lost.length === 1 && lost[0] % 2 === 1) {
      result.push(...corners.filter((_, k) => k !== lost[0]), -1)
    }
  }
  return Int32Array.from(result)
}

/** Rows of `[N, C]`, or of each matrix of `[K, N, C]`. */
function pickRows(array: NdArray<Float32Array>, rows: Int32Array): NdArray<Float32Array> {
  const data = denseData(array)
  const [count, channels] = array.shape.slice(-2)
  const blocks = array.shape.length === 3 ? array.shape[0] : 1
  const result = new Float32Array(blocks * rows.length * channels)
  const shape = [...array.shape.slice(0, -2), rows.length, channels]
  // Zeros that nobody wrote take no memory.
  if (allZero(data)) return ndarray(result, shape)
  // No subarrays, and as little arithmetic as can be: a basis has millions of rows.
  const places = new Int32Array(rows.length * channels)
  for (let i = 0; i < places.length; i++) {
    places[i] = rows[Math.floor(i / channels)] * channels + (i % channels)
  }
  for (let block = 0; block < blocks; block++) {
    const [from, to] = [block * count * channels, block * places.length]
    for (let i = 0; i < places.length; i++) result[to + i] = data[from + places[i]]
  }
  return ndarray(result, shape)
}
