import { assertShape } from '@facekit/core'
import { defineKernel, float32 } from '@facekit/kernels'
import { add, matMul, reshape, tensor2d, type Tensor3D } from '@tensorflow/tfjs-core'
import { assertView, cameraMatrix, type Camera, type PictureSize } from './camera.js'

interface Attributes {
  /** `[3 * 4]` and `[4]`: clip = vertex * linear + offset. */
  linear: number[]
  offset: number[]
}

const gradientKernel = defineKernel({
  name: 'FacekitProjectVerticesGradient',
  inputs: { upstream: 'float32' },
  outputs: ({ upstream: [batch, count] }) => ({ vertices: float32([batch, count, 3]) }),
  cpu({ upstream }, { vertices }, _shapes, { linear }: Attributes) {
    const [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = linear
    for (let v = 0, g = 0; g < upstream.length; v += 3, g += 4) {
      const x = upstream[g]
      const y = upstream[g + 1]
      const z = upstream[g + 2]
      const w = upstream[g + 3]
      vertices[v] = a0 * x + a1 * y + a2 * z + a3 * w
      vertices[v + 1] = b0 * x + b1 * y + b2 * z + b3 * w
      vertices[v + 2] = c0 * x + c1 * y + c2 * z + c3 * w
    }
  },
})

const kernel = defineKernel({
  name: 'FacekitProjectVertices',
  inputs: { vertices: 'float32' },
  outputs: ({ vertices: [batch, count] }) => ({ clip: float32([batch, count, 4]) }),
  cpu({ vertices }, { clip }, _shapes, { linear, offset }: Attributes) {
    const [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = linear
    const [d0, d1, d2, d3] = offset
    for (let v = 0, o = 0; v < vertices.length; v += 3, o += 4) {
      const x = vertices[v]
      const y = vertices[v + 1]
      const z = vertices[v + 2]
      clip[o] = a0 * x + b0 * y + c0 * z + d0
      clip[o + 1] = a1 * x + b1 * y + c1 * z + d1
      clip[o + 2] = a2 * x + b2 * y + c2 * z + d2
      clip[o + 3] = a3 * x + b3 * y + c3 * z + d3
    }
  },
  operations({ vertices }, { linear, offset }) {
    const [batch, count] = vertices.shape
    const rows = reshape(vertices, [batch * count, 3])
    return reshape(add(matMul(rows, tensor2d(linear, [3, 4])), offset), [batch, count, 4])
  },
  recordsOperations: true,
  gradient: ({ upstream, attributes }) => ({
    vertices: () => gradientKernel({ upstream: upstream.clip }, attributes),
  }),
})

/** Projects vertices into clip space as in OpenGL: visible where -w <= x, y, z <= w, y up.
 *
 * @param vertices - `[B, N, 3]` mm, world space
 * @param size - of the picture; only its aspect counts here
 * @returns `[B, N, 4]`; w is the distance in front of the camera in mm (not above 0: behind it), or 1 in weak perspective
 * @differentiable vertices
 * @memory the caller owns the result
 * @throws {ShapeError} when `vertices` is not `[B, N, 3]`
 * @throws {ValueError} when a number of the camera or the size is out of range
 */
export function projectVertices(vertices: Tensor3D, camera: Camera, size: PictureSize): Tensor3D {
  assertShape('projectVertices: vertices', vertices, ['B', 'N', 3])
  assertView('projectVertices', camera, size)
  const matrix = cameraMatrix(camera, size)
  // gl-matrix keeps columns: the first three are the matrix for row vectors, the last what is added.
  const linear = Array.from(matrix).slice(0, 12)
  const offset = Array.from(matrix).slice(12)
  return kernel({ vertices }, { linear, offset })
}
