import { defineKernel, float32, float32Like, int32 } from '@facekit/kernels'
import { vertexNormals } from '@facekit/mesh'
import type { Pose } from '@facekit/parameters'
import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'
import { assertContour, projectLandmarks } from './project-landmarks.js'
import { projectVertices } from './project-vertices.js'
import { transformVertices } from './transform-vertices.js'
import { placeFaceGradientOnGpu, placeFaceOnGpu } from './webgpu/place-face.js'
import type { View } from './webgpu/placement.js'
import { POSE } from './webgpu/pose.js'

const NAMES = ['shape', 'rotation', 'translation', 'scale'] as const
const TYPES = {
  shape: 'float32',
  rotation: 'float32',
  translation: 'float32',
  scale: 'float32',
} as const

const gradientKernel = defineKernel({
  name: 'FacekitPlaceFaceGradient',
  inputs: {
    ...TYPES,
    vertices: 'float32',
    clip: 'float32',
    normals: 'float32',
    lengths: 'float32',
    chosen: 'int32',
    poses: 'float32',
    toVertices: 'float32?',
    toClip: 'float32?',
    toNormals: 'float32?',
    toLandmarks: 'float32?',
  },
  outputs: (shapes) => float32Like(shapes, NAMES),
  webgpu: (backend, inputs, gradients, view: View) =>
    placeFaceGradientOnGpu(backend, inputs, gradients, view),
})

const kernel = defineKernel({
  name: 'FacekitPlaceFace',
  inputs: TYPES,
  outputs: ({ shape: [batch, count] }, { model }: View) => ({
    vertices: float32([batch, count, 3]),
    clip: float32([batch, count, 4]),
    normals: float32([batch, count, 3]),
    landmarks: float32([batch, model.landmarks.length, 2]),
  }),
  keeps: ({ shape: [batch, count] }, { model }) => ({
    lengths: float32([batch, count]),
    chosen: int32([batch, model.landmarks.length]),
    poses: float32([batch, POSE]),
  }),
  saves: [...NAMES, 'vertices', 'clip', 'normals'],
  webgpu: (backend, inputs, outputs, view) => placeFaceOnGpu(backend, inputs, outputs, view),
  operations(inputs, { model, ...view }) {
    const rotation = inputs.rotation as Tensor2D
    const pose = { rotation, translation: inputs.translation as Tensor2D, scale: inputs.scale as Tensor2D }
    const vertices = transformVertices(inputs.shape as Tensor3D, pose)
    return {
      vertices,
      clip: projectVertices(vertices, view.camera, view),
      normals: vertexNormals(vertices, model),
      landmarks: projectLandmarks(vertices, model, { ...view, rotation }),
    }
  },
  recordsOperations: true,
  gradient: ({ upstream, saved, attributes }) =>
    gradientKernel(
      {
        ...saved,
        toVertices: upstream.vertices,
        toClip: upstream.clip,
        toNormals: upstream.normals,
        toLandmarks: upstream.landmarks,
      },
      attributes,
    ),
})

/** Puts a face where its pose says, before a camera: `transformVertices`, `projectVertices`, `vertexNormals` and `projectLandmarks`; on
 * WebGPU in a handful of programs with one gradient.
 *
 * @param shape - `[B, N, 3]` mm, model space
 * @param fused - whether by kernels of its own where there are any
 * @returns vertices and normals `[B, N, 3]`, clip space `[B, N, 4]`, landmarks `[B, L, 2]` pixels
 * @differentiable shape, pose
 */
export function placeFace(
  shape: Tensor3D,
  pose: Pose,
  view: View,
  fused: boolean,
): { vertices: Tensor3D; clip: Tensor3D; normals: Tensor3D; landmarks: Tensor3D } {
  assertContour('renderFace', view.contour)
  return (fused ? kernel : kernel.byOperations)({ shape, ...pose }, view)
}
