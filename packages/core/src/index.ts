export {
  AnnotationError,
  BackendError,
  CheckpointError,
  FacekitError,
  ImageError,
  ModelFormatError,
  ShapeError,
  ValueError,
} from './errors.js'
export { assertDataType, assertShape, type Dimension, type Dimensions } from './shape-checks.js'
export { assertInRange, assertInteger } from './value-checks.js'
export { createRandom, restoreRandom, type Random, type RandomState } from './random.js'
export { gammaCurve } from './gamma-curve.js'
export { faceLabels, labelOf, type FaceLabel } from './face-labels.js'
export {
  readSafetensors,
  writeSafetensors,
  type SafetensorsData,
  type SafetensorsEntry,
  type SafetensorsFile,
  type SafetensorsType,
} from './safetensors.js'
export { isMatFile, readMatFile, type MatArray, type MatFileOptions } from './mat-file.js'
export { appendToFile, removeTemporaryFiles, writeFileAtomic } from './write-file-atomic.js'
export { readRegularFile } from './regular-file.js'
export { readResource } from './read-resource.js'
export { lockFile, LockError, type FileLock } from './file-lock.js'
export { assertTensorsFill } from './assert-tensors-fill.js'
export { showValue } from './show-value.js'
