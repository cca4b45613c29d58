import { assertInRange } from '@facekit/core'
import { defaultCamera, type Camera } from '@facekit/render'

/** Millimetres: as near and as far as faces are photographed. */
const NEAREST = 150
const FARTHEST = 30_000
/** Pixels of the crop for a millimetre of a head at the camera's distance, in a crop of 1 px: what crops are cut to. */
const MAGNIFICATION = 1015 / 224 / defaultCamera.distance

/** The camera of a crop whose focal length is known; it stands where a head of usual size fills the crop as it does.
 *
 * @param focal - pixels of the crop
 * @param size - of the crop, pixels
 * @throws {ValueError} when it is not positive
 */
export function focalCamera(focal: number, size: number): Camera {
  assertInRange('fitFace: focalLength', focal, 1e-6)
  const distance = Math.min(FARTHEST, Math.max(NEAREST, focal / (MAGNIFICATION * size)))
  return cameraAt(defaultCamera, distance / defaultCamera.distance)
}

/** A camera that stands `lens` times as far away, with a lens as much longer: what is near the origin keeps its size. */
export function cameraAt(camera: Camera, lens: number): Camera {
  const distance = camera.distance * lens
  return {
    ...camera,
    fieldOfView: 2 * Math.atan(Math.tan(camera.fieldOfView / 2) / lens),
    distance,
    near: distance / 20,
    far: distance * 10,
  }
}
