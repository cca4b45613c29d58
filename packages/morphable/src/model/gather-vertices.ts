import { ShapeError, ValueError, assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import { invertIndices } from '@facekit/mesh'
import { concat, gather, reshape, sum, tensor1d, tidy, zeros, type Tensor3D } from '@tensorflow/tfjs-core'

/** Picks vertices. Unlike that of `tf.gather`, its gradient exists, and is quick, on every backend.
 *
 * @param vertices - `[B, N, C]` positions or any other attributes
 * @param indices - L vertices; or a list of B such arrays, when each picture of the batch has its own
 * @returns `[B, L, C]`
 * @differentiable vertices
 * @memory the caller owns the result
 * @throws {ShapeError} when `vertices` is not of rank 3, or there is not one array for each picture
 * @throws {ValueError} when an index is not a vertex
 */
export function gatherVertices(vertices: Tensor3D, indices: Int32Array | readonly Int32Array[]): Tensor3D {
  const { B, N, C } = assertShape('gatherVertices: vertices', vertices, ['B', 'N', 'C'])
  const lists = indices instanceof Int32Array ? Array.from({ length: B }, () => indices) : indices
  const count = lists[0]?.length ?? 0
  if (lists.length !== B || lists.some((list) => list.length !== count)) {
    throw new ShapeError(
      `gatherVertices: indices have lengths [${lists.map((list) => list.length).join(', ')}], expected ${B} arrays of one length; pass one array for each picture of the batch`,
    )
  }
  const rows = new Int32Array(B * count)
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < count; i++) {
      const index = lists[b][i]
      if (!(index >= 0 && index < N)) {
        throw new ValueError(`gatherVertices: index ${index} is no vertex, expected 0 to ${N - 1}`)
      }
      rows[b * count + i] = b * N + index
    }
  }
  return tidy(() => {
    const picked = pickKernel({ values: reshape(vertices, [B * N, C]) }, { rows })
    return reshape(picked, [B, count, C])
  })
}

interface ScatterAttributes {
  rows: Int32Array
  count: number
}

/** Adds rows up where they came from: `[R, C]` to `[N, C]`. */
const scatterKernel = defineKernel({
  name: 'FacekitScatterVertices',
  inputs: { gradient: 'float32' },
  outputs: ({ gradient: [, channels] }, { count }: ScatterAttributes) => ({
    scattered: float32([count, channels]),
  }),
  cpu({ gradient }, { scattered }, { gradient: [, channels] }, { rows }) {
    scattered.fill(0)
    for (let i = 0; i < rows.length; i++) {
      for (let c = 0; c < channels; c++) scattered[rows[i] * channels + c] += gradient[i * channels + c]
    }
  },
  operations({ gradient }, { rows, count }) {
    const channels = gradient.shape[1]!
    const { table, width } = invertIndices(rows, count)
    const padded = concat([gradient, zeros([1, channels])], 0)
    return sum(reshape(gather(padded, tensor1d(table, 'int32')), [count, width, channels]), 1)
  },
})

/** `tf.gather` of rows, with a gradient on every backend. */
const pickKernel = defineKernel({
  name: 'FacekitPickVertices',
  inputs: { values: 'float32' },
  outputs: ({ values: [, channels] }, { rows }: { rows: Int32Array }) => ({
    picked: float32([rows.length, channels]),
  }),
  saves: ['values'],
  operations: ({ values }, { rows }) => gather(values, tensor1d(rows, 'int32')),
  gradient: ({ upstream: { picked }, saved: { values }, attributes: { rows } }) => ({
    values: () => scatterKernel({ gradient: picked }, { rows, count: values.shape[0] }),
  }),
})
