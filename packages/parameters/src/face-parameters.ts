import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'

// Types and not interfaces, so that `tf.tidy` and `tf.dispose` take them: an interface has no index signature.

/** Position of the head: `v' = scale * R * (v + translation)`, `R = Rz(roll) Ry(yaw) Rx(pitch)` (paper, Eq. 3). */
export type Pose<T = Tensor2D> = {
  /** `[B, 3]` pitch, yaw and roll in radians. */
  rotation: T
  /** `[B, 3]` millimetres, applied before the rotation. */
  translation: T
  /** `[B, 1]` factor, 1 leaves the size. */
  scale: T
}

/** Light on the face: distant light as spherical harmonics, and one point light that makes the highlights. */
export type Illumination<T = Tensor2D, H = Tensor3D> = {
  /** `[B, 9, 3]` linear RGB, order (0,0) (1,-1) (1,0) (1,1) (2,-2) (2,-1) (2,0) (2,1) (2,2). */
  sphericalHarmonics: H
  /** `[B, 3]` world space, millimetres. */
  lightPosition: T
  /** `[B, 3]` linear RGB. */
  lightColor: T
  /** `[B, 1]` exponent of Blinn-Phong, at least 1. */
  shininess: T
}

/** All that describes a face in a picture, for a batch of B pictures. {@link parameterParts} is the table of its parts. */
export type FaceParameters<T = Tensor2D, H = Tensor3D> = {
  /** `[B, Ki]` in standard deviations. */
  identity: T
  /** `[B, Ke]` in standard deviations, or within the model's `expressionRange`. */
  expression: T
  /** `[B, Kt]` in standard deviations; drives diffuse and specular albedo together (paper, Eq. 2). */
  albedo: T
  pose: Pose<T>
  illumination: Illumination<T, H>
}

/** The shape of {@link FaceParameters} with something else at each leaf: arrays of one face, names, gradients. */
export type ParameterTree<T> = FaceParameters<T, T>

/** What functions accept as parameters: also tensors whose rank the compiler does not know, such as `tf.grad` passes to its function.
 * Their shapes are checked when the function is called. */
export type FaceParametersInput = ParameterTree<Tensor>

/** How many coefficients a face model has. */
export interface ParameterLayout {
  identity: number
  expression: number
  albedo: number
}
