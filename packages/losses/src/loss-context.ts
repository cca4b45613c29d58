import type { FaceParameters } from '@facekit/parameters'
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core'

/** What of a rendered face the losses look at; `renderFace` of `@facekit/render` gives it. */
export interface LossRendering {
  /** `[B, H, W, 3]` diffuse and specular together, encoded 0..1, background 0. */
  image: Tensor4D
  /** `[B, H, W, 3]` diffuse alone, encoded 0..1. */
  diffuse: Tensor4D
  /** `[B, H, W, 3]` specular alone, encoded 0..1. */
  specular: Tensor4D
  /** `[B, H, W, 1]` share of the pixel that the face covers, 0..1. */
  mask: Tensor4D
  /** `[B, H, W, 1]` share of the pixel that the opening between the lips covers, 0..1. */
  innerMouth: Tensor4D
  /** `[B, 68, 2]` projected landmarks, pixels. */
  landmarks: Tensor3D
  /** `[B, N, 3]` diffuse albedo times irradiance of each vertex, linear RGB. */
  litDiffuse: Tensor3D
}

/** All that a loss can look at: the labelled picture, the rendered face, and the parameters it was rendered from. */
export interface LossContext {
  /** `[B, H, W, 3]` encoded 0..1. */
  inputImage: Tensor4D
  /** `[B, H, W, 1]` 1 where the face is and nothing is in front of it. */
  faceRegion: Tensor4D
  /** `[B, H, W, 1]` probability of skin, 0..1. */
  skinProbability: Tensor4D
  /** `[B, 68, 2]` labelled landmarks, pixels. */
  landmarks: Tensor3D
  /** `[B, H, W, 1]` 1 inside of the labelled mouth opening. */
  innerMouth?: Tensor4D
  /** `[B, D]` what `embed` gives for `picture`; computed anew for each loss when it is missing. */
  inputEmbedding?: Tensor2D
  /** A face recognition network: `[B, H, W, 3]` encoded 0..1 to `[B, D]`, differentiable. */
  embed?: (images: Tensor4D) => Tensor2D
  rendering: LossRendering
  parameters: FaceParameters
}
