import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs-core'

/** Position of the head: `v' = scale * R * (v + translation)`, `R = Rz(roll) Ry(yaw) Rx(pitch)` (paper, Eq. 3). */
export interface Pose {
  /** `[B, 3]` pitch, yaw and roll in radians. */
  rotation: Tensor2D
  /** `[B, 3]` millimetres, applied before the rotation. */
  translation: Tensor2D
  /** `[B, 1]` factor, 1 leaves the size. */
  scale: Tensor2D
}

/** Light on the face: distant light as spherical harmonics, and one point light that makes the highlights. */
export interface Illumination {
  /** `[B, 9, 3]` linear RGB, order (0,0) (1,-1) (1,0) (1,1) (2,-2) (2,-1) (2,0) (2,1) (2,2). */
  sphericalHarmonics: Tensor3D
  /** `[B, 3]` world space, millimetres. */
  lightPosition: Tensor2D
  /** `[B, 3]` linear RGB. */
  lightColor: Tensor2D
  /** `[B, 1]` exponent of Blinn-Phong, at least 1. */
  shininess: Tensor2D
}

/** All that describes a face in a picture, for a batch of B pictures. */
export interface FaceParameters {
  /** `[B, Ki]` in standard deviations. */
  identity: Tensor2D
  /** `[B, Ke]` in standard deviations. */
  expression: Tensor2D
  /** `[B, Kt]` in standard deviations; drives diffuse and specular albedo together (paper, Eq. 2). */
  albedo: Tensor2D
  pose: Pose
  illumination: Illumination
}

/** How many coefficients a face model has. */
export interface ParameterLayout {
  identity: number
  expression: number
  albedo: number
}
