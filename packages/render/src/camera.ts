import { ValueError, assertInRange, assertInteger } from '@facekit/core'
import { mat4 } from 'gl-matrix'

/** The camera: on the +z axis, looking along -z at the origin, +y up. Only the face moves. */
export interface Camera {
  /** Vertical field of view, radians, between 0 and pi. */
  fieldOfView: number
  /** Distance from the origin, mm. */
  distance: number
  /** Distances from the camera of the nearest and farthest thing that is drawn, mm. */
  near: number
  far: number
  /** `'weak-perspective'` draws everything in the size that it would have at the origin. */
  projection: 'perspective' | 'weak-perspective'
}

/** Size of a picture in pixels. */
export interface PictureSize {
  width: number
  height: number
}

/** A focal length of 1015 px for a picture 224 px high, from 1 m away. */
export const defaultCamera: Readonly<Camera> = Object.freeze({
  fieldOfView: 2 * Math.atan(112 / 1015),
  distance: 1000,
  near: 50,
  far: 10_000,
  projection: 'perspective',
})

/** Checks a camera and a picture's size.
 *
 * @throws {ValueError} that names what is wrong
 */
export function assertView(who: string, camera: Camera, size: PictureSize): void {
  assertInteger(`${who}: width`, size.width, 1, 16384)
  assertInteger(`${who}: height`, size.height, 1, 16384)
  assertCamera(who, camera)
}

function assertCamera(who: string, camera: Camera): void {
  assertInRange(`${who}: camera.fieldOfView`, camera.fieldOfView, 1e-4, Math.PI - 1e-4)
  assertInRange(`${who}: camera.distance`, camera.distance, 1e-3)
  assertInRange(`${who}: camera.near`, camera.near, 1e-6)
  assertInRange(`${who}: camera.far`, camera.far, camera.near * (1 + 1e-6))
  if (camera.projection !== 'perspective' && camera.projection !== 'weak-perspective') {
    throw new ValueError(
      `${who}: camera.projection is ${String(camera.projection)}, expected 'perspective' or 'weak-perspective'`,
    )
  }
}

/** View and projection in one: world to clip space as in OpenGL, column by column as gl-matrix keeps it. */
export function cameraMatrix(camera: Camera, size: PictureSize): mat4 {
  const { fieldOfView, distance, near, far, projection } = camera
  const aspect = size.width / size.height
  const matrix = mat4.create()
  if (projection === 'perspective') {
    mat4.perspective(matrix, fieldOfView, aspect, near, far)
  } else {
    const top = distance * Math.tan(fieldOfView / 2)
    mat4.ortho(matrix, -top * aspect, top * aspect, -top, top, near, far)
  }
  return mat4.translate(matrix, matrix, [0, 0, -distance])
}
