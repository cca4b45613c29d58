import type { Camera } from '@facekit/render'
import type { NdArray } from 'ndarray'
import type { NoiseModel } from './correlated-noise.js'
import type { ExpressionPrior, IdentityPrior } from './shape-prior.js'

/** Options of `fitLandmarks` and `fitDenseLandmarks`. */
export interface FitLandmarksOptions {
  /** Picture that the landmarks lie in, pixels. Default 224. */
  width?: number
  height?: number
  camera?: Camera
  /** Standard deviation of each coordinate of a landmark, pixels of a 224 picture; jaw landmarks count half. Default 1.5. Dense landmarks bring
   * their own. */
  landmarkDeviation?: number
  /** What is expected of identity. Default: N(0, 1). */
  identity?: IdentityPrior
  /** What is expected of expressions, where the model has an `expressionRange`. */
  expression?: Partial<ExpressionPrior>
  /** How the errors of dense landmarks depend on each other. */
  noise?: Partial<NoiseModel>
  /** `[68, 2]` what another network sees of the face, pixels of any picture: only how far lids and lips are open is taken from it, where
   * the dense landmarks may err. */
  landmarks?: NdArray<Float32Array>
  /** How far the model's mesh is from a face even with the best coefficients, mm, standard deviation. Default 0.5. */
  modelDeviation?: number
  /** Standard deviation of the logarithm of the focal length about that of the camera. Default 0: it is known. */
  focalDeviation?: number
  /** Most steps of Levenberg-Marquardt. Default 30. */
  iterations?: number
  /** A fit near by, e.g. of the same points under another `identity`: the search begins there, and not from three sides. */
  start?: FitStart
}

/** Where a search begins. */
export type FitStart = Pick<
  LandmarkFit,
  'rotation' | 'translation' | 'scale' | 'focal' | 'identity' | 'expression'
>

/** Pose and shape that explain landmarks. */
export interface LandmarkFit {
  /** Pitch, yaw, roll in radians. */
  rotation: [number, number, number]
  /** Millimetres. */
  translation: [number, number, number]
  scale: number
  /** Focal length over that of the camera; the camera's distance grows with it, so that the head keeps its size. 1 unless `focalDeviation` is given. */
  focal: number
  /** `[Ki]` */
  identity: Float32Array
  /** `[Ke]` */
  expression: Float32Array
  /** `[68 * 2]` projected landmarks, pixels: for `fitLandmarks` with the jaw on the visible outline, for `fitDenseLandmarks` the mesh's own. */
  landmarks: Float32Array
  /** Mean distance to the given points, pixels. */
  meanDistance: number
  /** How sure the coefficients are. */
  posterior: LandmarkPosterior
}

/** The normal distribution about a fit (Laplace's approximation). */
export interface LandmarkPosterior {
  /** `[n * n]`, n = 7 + Ki + Ke: precision of pitch, yaw, roll, tx, ty, tz, log(scale), identity, expression. */
  precision: Float64Array
  /** `[(Ki + Ke)^2]` covariance of identity and expression, whatever the pose. */
  covariance: Float64Array
}
