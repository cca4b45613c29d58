import type { Camera } from '@facekit/render'

/** Options of `fitLandmarks`. */
export interface FitLandmarksOptions {
  /** Picture that the landmarks lie in, pixels. Default 224. */
  width?: number
  height?: number
  camera?: Camera
  /** Standard deviation of a landmark's position, pixels of a 224 picture; jaw landmarks count half. Default 1.5. */
  landmarkDeviation?: number
  /** Deviation of an expression coefficient from 0, where the model has an `expressionRange`. Default 0.5. */
  expressionDeviation?: number
  /** `[Ki]` identity that is expected, default the mean face, and how far it may be from there, default 1. */
  identity?: ArrayLike<number>
  identityDeviation?: number
  /** Most steps of Levenberg-Marquardt for each start. Default 30. */
  iterations?: number
}

/** Pose and shape that explain 68 landmarks. */
export interface LandmarkFit {
  /** Pitch, yaw, roll in radians. */
  rotation: [number, number, number]
  /** Millimetres. */
  translation: [number, number, number]
  scale: number
  /** `[Ki]` */
  identity: Float32Array
  /** `[Ke]` */
  expression: Float32Array
  /** `[68 * 2]` projected landmarks, pixels, jaw landmarks on the visible contour. */
  landmarks: Float32Array
  /** Mean distance to the given landmarks, pixels. */
  meanDistance: number
}
