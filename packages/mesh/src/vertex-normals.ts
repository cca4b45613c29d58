import { ShapeError, assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import type { Tensor3D } from '@tensorflow/tfjs-core'
import { normalsBackward, normalsForward } from './cpu/vertex-normals.js'
import { normalsBackwardByOperations, normalsByOperations } from './vertex-normals-operations.js'
import { vertexNormalsGradientOnGpu, vertexNormalsOnGpu } from './webgpu/vertex-normals.js'

interface Attributes {
  triangles: Int32Array
}

const gradientKernel = defineKernel({
  name: 'FacekitVertexNormalsGradient',
  inputs: { upstream: 'float32', vertices: 'float32', normals: 'float32', lengths: 'float32' },
  outputs: ({ vertices }) => ({ gradient: float32(vertices) }),
  cpu({ upstream, vertices, normals, lengths }, { gradient }, shapes, { triangles }: Attributes) {
    const [batch, count] = shapes.vertices
    const unscaled = new Float32Array(upstream.length)
    normalsBackward(
      { gradient: upstream, positions: vertices, normals, lengths, triangles, batch, count, unscaled },
      gradient,
    )
  },
  webgpu: (backend, inputs, outputs, { triangles }) =>
    vertexNormalsGradientOnGpu(backend, inputs, outputs, triangles),
  operations: (inputs, { triangles }) => normalsBackwardByOperations(inputs, triangles),
})

const kernel = defineKernel({
  name: 'FacekitVertexNormals',
  inputs: { vertices: 'float32' },
  outputs: ({ vertices: [batch, count] }) => ({ normals: float32([batch, count, 3]) }),
  keeps: ({ vertices: [batch, count] }) => ({ lengths: float32([batch, count]) }),
  saves: ['vertices', 'normals'],
  cpu({ vertices: positions }, { normals, lengths }, shapes, { triangles }: Attributes) {
    const [batch, count] = shapes.vertices
    normalsForward({ positions, triangles, batch, count }, normals, lengths)
  },
  webgpu: (backend, inputs, outputs, { triangles }) =>
    vertexNormalsOnGpu(backend, inputs, outputs, triangles),
  operations: ({ vertices }, { triangles }) => normalsByOperations(vertices, triangles),
  gradient: ({ upstream, saved, attributes }) => ({
    vertices: () => gradientKernel({ ...saved, upstream: upstream.normals }, attributes),
  }),
})

/* Contributor notes
 *
 * Composed of stock operations (gather, cross product, unsorted segment sum) this lacks a gradient on WASM and spends its time on gathers.
 * Where memory can be read at once, a loop over typed arrays does the whole thing in about 0.2 ms for 14,000 triangles; on a GPU the
 * scatter is a gather over the ring of triangles around each vertex.
 */

/** Normals of vertices: the sum of the cross products of their triangles' edges, hence weighted by area.
 *
 * n_v = Nor( sum over triangles at v of (b - a) x (c - a) )
 *
 * @param vertices - `[B, N, 3]`
 * @param mesh - a model, or its triangles: `[F * 3]` vertex indices, counter-clockwise seen from outside
 * @returns `[B, N, 3]` of unit length; 0, 0, 0 at vertices without area around them
 * @differentiable vertices (once: the gradient itself is not differentiable)
 * @memory the caller owns the result
 * @throws {ShapeError} when `vertices` is not `[B, N, 3]`, or a triangle names a vertex that is not there
 */
export function vertexNormals(
  vertices: Tensor3D,
  mesh: { readonly triangles: Int32Array } | Int32Array,
): Tensor3D {
  const { N } = assertShape('vertexNormals: vertices', vertices, ['B', 'N', 3])
  const triangles = mesh instanceof Int32Array ? mesh : mesh.triangles
  assertTriangles(triangles, N)
  return kernel({ vertices }, { triangles })
}

// A check of 40,000 numbers for each picture would cost as much as the normals do.
const checked = new WeakMap<Int32Array, number>()

function assertTriangles(triangles: Int32Array, count: number): void {
  let needed = checked.get(triangles)
  if (needed === undefined) {
    if (triangles.length % 3 !== 0 || triangles.some((vertex) => vertex < 0)) {
      throw new ShapeError(
        `vertexNormals: triangles hold ${triangles.length} numbers, some negative or not 3 each; expected [F * 3] vertex indices`,
      )
    }
    needed = triangles.reduce((largest, vertex) => Math.max(largest, vertex), -1) + 1
    checked.set(triangles, needed)
  }
  if (needed > count) {
    throw new ShapeError(
      `vertexNormals: vertices are [B, ${count}, 3], the triangles name vertex ${needed - 1}; pass vertices and triangles of the same mesh`,
    )
  }
}
