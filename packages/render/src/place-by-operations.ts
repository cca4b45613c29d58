import { vertexNormals } from '@facekit/mesh'
import type { MorphableModel } from '@facekit/morphable'
import type { Pose } from '@facekit/parameters'
import type { Tensor3D } from '@tensorflow/tfjs-core'
import type { Camera, PictureSize } from './camera.js'
import { projectLandmarks, type Contour } from './project-landmarks.js'
import { projectVertices } from './project-vertices.js'
import { transformVertices } from './transform-vertices.js'

/** `placeFace` as four operations, for every backend. */
export function placeByOperations(
  model: MorphableModel,
  shape: Tensor3D,
  pose: Pose,
  view: PictureSize & { camera: Camera; contour: Contour },
): { vertices: Tensor3D; clip: Tensor3D; normals: Tensor3D; landmarks: Tensor3D } {
  const vertices = transformVertices(shape, pose)
  return {
    vertices,
    clip: projectVertices(vertices, view.camera, view),
    normals: vertexNormals(vertices, model),
    landmarks: projectLandmarks(vertices, model, { ...view, rotation: pose.rotation }),
  }
}
