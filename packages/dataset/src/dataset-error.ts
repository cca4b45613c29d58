import { FacekitError } from '@facekit/core'

/** A data set on disk is missing, damaged, foreign, or of another version. */
export class DatasetError extends FacekitError {
  override name = 'DatasetError'
}
