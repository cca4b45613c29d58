import {
  add,
  cast,
  concat,
  div,
  gather,
  greater,
  mul,
  reshape,
  sqrt,
  sub,
  sum,
  tensor1d,
  where,
  zeros,
  zerosLike,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { invertIndices, type Incidence } from './incidence.js'

interface Mesh {
  /** Vertices of the first, second and third corners. */
  corners: [Int32Array, Int32Array, Int32Array]
  /** The corners, `3 * triangle + corner`, at each vertex. */
  incidence: Incidence
}

const meshes = new WeakMap<Int32Array, Map<number, Mesh>>()

function meshOf(triangles: Int32Array, count: number): Mesh {
  const sizes = meshes.get(triangles) ?? new Map<number, Mesh>()
  meshes.set(triangles, sizes)
  let mesh = sizes.get(count)
  if (!mesh) {
    const corner = (k: number) =>
      Int32Array.from({ length: triangles.length / 3 }, (_, triangle) => triangles[triangle * 3 + k])
    mesh = { corners: [corner(0), corner(1), corner(2)], incidence: invertIndices(triangles, count) }
    sizes.set(count, mesh)
  }
  return mesh
}

const pick = (tensor: Tensor, indices: Int32Array) => gather(tensor, tensor1d(indices, 'int32'), 1)

/** Cross products along the last axis. */
function cross(a: Tensor, b: Tensor): Tensor {
  const turn = (tensor: Tensor, first: number, second: number) =>
    gather(tensor, tensor1d([first, second, 3 - first - second], 'int32'), tensor.rank - 1)
  return sub(mul(turn(a, 1, 2), turn(b, 2, 0)), mul(turn(a, 2, 0), turn(b, 1, 2)))
}

/** Adds up `[B, F, 3]` or `[B, 3F, 3]` at the vertices of a table. */
function collect(values: Tensor, table: Int32Array, width: number, count: number): Tensor {
  const batch = values.shape[0]
  const padded = concat([values, zeros([batch, 1, 3])], 1)
  return sum(reshape(pick(padded, table), [batch, count, width, 3]), 2)
}

function unscaledNormals(vertices: Tensor, { corners, incidence }: Mesh): Tensor {
  const [a, b, c] = corners.map((corner) => pick(vertices, corner))
  const normals = cross(sub(b, a), sub(c, a)) // [B, F, 3]
  const triangleOf = incidence.table.map((corner) => Math.floor(corner / 3))
  return collect(normals, triangleOf, incidence.width, vertices.shape[1] as number)
}

const lengthOf = (vectors: Tensor) => sqrt(sum(mul(vectors, vectors), -1, true))

/** Quotient that is 0 where the divisor is. */
function divideSafely(values: Tensor, lengths: Tensor): Tensor {
  const positive = greater(lengths, 0)
  const quotient = div(values, where(positive, lengths, add(zerosLike(lengths), 1)))
  return mul(quotient, cast(positive, 'float32'))
}

/** `vertexNormals` as stock operations without a scatter, with the lengths that the normals had before they were made unit. */
export function normalsByOperations(
  vertices: Tensor,
  triangles: Int32Array,
): { normals: Tensor; lengths: Tensor } {
  const [batch, count] = vertices.shape
  const unscaled = unscaledNormals(vertices, meshOf(triangles, count))
  const lengths = lengthOf(unscaled)
  return { normals: divideSafely(unscaled, lengths), lengths: reshape(lengths, [batch, count]) }
}

/** Gradient of `normalsByOperations`; see `normalsBackward`. */
export function normalsBackwardByOperations(
  inputs: { upstream: Tensor; vertices: Tensor; normals: Tensor; lengths: Tensor },
  triangles: Int32Array,
): Tensor {
  const { upstream, vertices, normals } = inputs
  const [batch, count] = vertices.shape
  const { corners, incidence } = meshOf(triangles, count)
  const lengths = reshape(inputs.lengths, [batch, count, 1])
  const along = sum(mul(upstream, normals), -1, true)
  const inner = divideSafely(sub(upstream, mul(along, normals)), lengths)
  const [ha, hb, hc] = corners.map((corner) => pick(inner, corner))
  const h = add(add(ha, hb), hc)
  const [a, b, c] = corners.map((corner) => pick(vertices, corner))
  const perCorner = [cross(sub(b, c), h), cross(sub(c, a), h), cross(sub(a, b), h)] // each [B, F, 3]
  const stacked = reshape(concat(perCorner, 2), [batch, triangles.length, 3])
  return collect(stacked, incidence.table, incidence.width, count)
}
