/** Base of every error that facekit throws on purpose.
 *
 * The message is one line: who, expected, actual, remedy.
 */
export class FacekitError extends Error {
  override name = 'FacekitError'
}

/** A tensor or array has the wrong shape or data type. */
export class ShapeError extends FacekitError {
  override name = 'ShapeError'
}

/** A number, option or name is outside of what is allowed. */
export class ValueError extends FacekitError {
  override name = 'ValueError'
}

/** A TensorFlow.js backend is missing, incomplete, or failed while it computed. */
export class BackendError extends FacekitError {
  override name = 'BackendError'
}

/** A file with a face model or with network weights is damaged, foreign, or of another version. */
export class ModelFormatError extends FacekitError {
  override name = 'ModelFormatError'
}

/** A picture cannot be read: missing, damaged, not a picture, or of an absurd size. */
export class ImageError extends FacekitError {
  override name = 'ImageError'
}

/** No face, or not the face that was asked for, could be found and labelled in a picture. */
export class AnnotationError extends FacekitError {
  override name = 'AnnotationError'
}

/** A checkpoint cannot be written, read, or resumed from. */
export class CheckpointError extends FacekitError {
  override name = 'CheckpointError'
}
