import type { FaceParameters, ParameterLayout } from '@facekit/parameters'
import type { Tensor2D, Tensor3D, Tensor4D, Variable } from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'

/** A network that reads a face off an aligned picture. */
export interface FaceRegressor {
  /** `[B, S, S, 3]` encoded 0..1 to `[B, P]`, see `parametersOfOutputs`: a model of tfjs-layers, to be trained, looked into, or saved as one. */
  readonly model: LayersModel
  /** How many coefficients it gives; equal to that of the face model it was made for. */
  readonly layout: ParameterLayout
  /** Side S of the pictures, pixels. */
  readonly inputSize: number
  /** Name of the backbone. */
  readonly backbone: string
  /** Name of the face model whose coefficients it gives, where it was told. */
  readonly faceModel?: string
  /** As the face model's. */
  readonly expressionRange?: readonly [number, number]
  /** How much of identity a fit of the same picture should take from this network, and how little from dense landmarks, 0..1: measured, where it
   * is known. See `FitFaceOptions.priorShare`. */
  readonly identityShare?: number
  /** What training changes. */
  readonly variables: Variable[]
  /** Faces of pictures.
   *
   * @param images - `[B, S, S, 3]`, or one of `[S, S, 3]`: encoded sRGB 0..1, faces as `alignFace` places them; other sizes are interpolated
   * @returns parameters of B faces under the default camera
   * @memory the caller owns the results
   * @throws {ShapeError} when they are not square colour pictures
   */
  predict(images: Tensor4D): FaceParameters
  predict(image: Tensor3D): FaceParameters
  /** The same, to be differentiated: expressions may lie a little outside of their range.
   *
   * @param options - `training`: batch normalisation by the statistics of the batch, which its moving averages follow
   * @differentiable variables, images
   * @memory the caller owns the results
   * @throws {ShapeError} when they are not square colour pictures
   */
  apply(images: Tensor4D, options?: { training?: boolean }): FaceParameters
  /** `[B, P]`: what `apply` makes parameters of. */
  outputs(images: Tensor4D, options?: { training?: boolean }): Tensor2D
  /** Frees the variables. */
  dispose(): void
}
