import type { FaceParameters } from '@facekit/parameters'
import { dispose } from '@tensorflow/tfjs-core'
import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'

// A type and not an interface, so that `tf.tidy` and `tf.dispose` take it.

/** Rendered pictures and what is known of them. Plain tensors, of which the caller disposes (`disposeBatch`). */
export type SyntheticBatch = {
  /** `[B, S, S, 3]` encoded, 0..1. */
  image: Tensor4D
  /** `[B, S, S]` int32, 0 to 18: what is seen at each pixel centre, see `faceLabels` of @facekit/core. */
  labels: Tensor3D
  /** `[B, S, S, 1]` 0..1: the face's surface with brows, eyes and lips; without the opening of the mouth, and without what hides it (hair,
   * glasses' frames and tinted lenses, hands, ...). Clear lenses count as face. */
  faceRegion: Tensor4D
  /** `[B, S, S, 1]` 0..1: the opening between the lips. */
  innerMouth: Tensor4D
  /** `[B, S, S, 1]` 0..1: bare skin of face, ears, neck and hands; low under brows and beard, 0 on lips and eyes. */
  skin: Tensor4D
  /** `[B, S, S, 3]` of the surface of the head, unit length, world space (+z to the camera); 0 elsewhere. */
  normals: Tensor4D
  /** `[B, 68, 2]` pixels, origin at the top left, pixel centres at +0.5; may lie outside of the picture. */
  landmarks: Tensor3D
  /** `[B, 68]` 1 where a landmark is in the picture and nothing lies before it, else 0. */
  landmarkVisibility: Tensor2D
  /** `[B, L, 3]` pixels: `model.denseLandmarks`, hidden ones too. x and y as in `landmarks`, but always of the same vertices, so that the jaw's are
   * not on the visible outline; then the depth towards the camera, from the mean of the points: mm times the focal length in pixels by
   * the mean distance of the points, so that a head is as deep as it is wide whatever the camera. Absent where the model names no such
   * points. */
  denseLandmarks?: Tensor3D
  /** `[B, L]` as `landmarkVisibility`. */
  denseVisibility?: Tensor2D
  /** `[B, 2]` of the camera: focal length in pixels, and distance from the origin, mm. 1015 for a picture of 224, and 1000, unless
   * `framing.distance` says otherwise. */
  camera: Tensor2D
  /** `[B, 4]` x, y, width, height of the face (forehead to chin) in pixels, hidden parts included; may reach outside. */
  box: Tensor2D
  /** `[B, 5, 2]` pixels: right eye, left eye (the subject's), tip of the nose, right and left corner of the mouth. */
  fivePoints: Tensor3D
  /** Those that the face was rendered with. */
  parameters: FaceParameters
  /** `[B]` int32: pictures of one person have one number. */
  identityIds: Tensor1D
}

/** Frees all tensors of a batch; `tf.dispose(batch)` with types. */
export const disposeBatch = (batch: SyntheticBatch): void => dispose(batch)
