import type { Camera } from '@facekit/render'
import { mat4 } from 'gl-matrix'
import type { PhotographView } from '../face.js'
import type { FaceDocument } from '../face-document.js'
import { rotationMatrix } from './turn-angle.js'

/** Matrices that put the face where it is in its photograph. */
export function photographView(
  face: Pick<FaceDocument, 'picture' | 'camera' | 'crop' | 'pose'>,
): PhotographView {
  const { picture, camera, crop } = face
  const { width, height } = picture
  const projection = mat4.multiply(mat4.create(), cropToPhotograph(crop, picture), cameraMatrix(camera))
  return {
    width,
    height,
    modelMatrix: [...poseMatrix(face.pose)],
    projectionMatrix: [...projection],
    cameraPosition: [0, 0, camera.distance],
  }
}

/** `v' = scale * Rz(roll) Ry(yaw) Rx(pitch) * (v + translation)`, Eq. 3. */
function poseMatrix({ rotation, translation, scale }: FaceDocument['pose']): mat4 {
  const matrix = rotationMatrix(rotation)
  mat4.scale(matrix, matrix, [scale, scale, scale])
  return mat4.translate(matrix, matrix, translation as [number, number, number])
}

/** World to clip space of the crop. */
function cameraMatrix({ fieldOfView, distance, near, far }: Camera): mat4 {
  const matrix = mat4.perspective(mat4.create(), fieldOfView, 1, near, far)
  return mat4.translate(matrix, matrix, [0, 0, -distance])
}

/** Clip space of the crop to that of the photograph: to pixels of the crop, back through the alignment, to -1..1. */
function cropToPhotograph({ size, transform }: FaceDocument['crop'], picture: FaceDocument['picture']): mat4 {
  const { scale, rotation, translation } = transform
  const [c, s] = [Math.cos(rotation) / scale, Math.sin(rotation) / scale]
  const half = size / 2
  // p = R(-rotation) (p' - t) / scale with p' = half * (1 + x, 1 - y).
  const [dx, dy] = [half - translation[0], half - translation[1]]
  const x = [c * half, -s * half, c * dx + s * dy]
  const y = [-s * half, -c * half, -s * dx + c * dy]
  const [sx, sy] = [2 / picture.width, -2 / picture.height]
  return mat4.fromValues(
    ...([sx * x[0], sy * y[0], 0, 0, sx * x[1], sy * y[1], 0, 0] as const),
    ...([0, 0, 1, 0, sx * x[2] - 1, sy * y[2] + 1, 0, 1] as const),
  )
}
