import { add, mul, tidy, type Scalar, type Tensor4D } from '@tensorflow/tfjs-core'
import { assertInRange, assertShape } from '@facekit/core'
import { colorResidual } from './color-residual.js'

/** Pictures, masks and options of `photometricLoss`. */
export interface PhotometricLossInput {
  /** `[B, H, W, 3]` I_in, encoded 0..1. */
  inputImage: Tensor4D
  /** `[B, H, W, 3]` I_r_diffuse, over black, encoded 0..1. */
  diffuse: Tensor4D
  /** `[B, H, W, 3]` I_r_diffuse + I_r_specular, over black, added before they were encoded, 0..1. */
  image: Tensor4D
  /** `[B, H, W, 1]` I_project: share of the pixel that the rendered face covers. */
  mask: Tensor4D
  /** `[B, H, W, 1]` I_face: 1 where the picture shows the face. */
  faceRegion: Tensor4D
  /** `[B, H, W, 1]` p, probability of skin. */
  skinProbability: Tensor4D
  /** Weight of the second summand. The paper leaves it open. Default 1. */
  eta?: number
}

/** Smoothing of the colour difference at 0, a fortieth of one step of 8 bits. */
const EPSILON = 1e-4

/** Colour difference between a picture and the rendered face, where both show the face.
 *
 * L_photo = sum_M C |I_in - I_r_diffuse| / sum_M C  +  eta sum_M |I_in - (I_r_diffuse + I_r_specular)| / |M|
 *
 * C = 1 where p > 0.5, else p; M = faceRegion, which may be soft, where mask is 1.      (MM '22 paper, Eq. 8 and 9)
 *
 * The skin weights C keep highlights, hair and beard out of the diffuse part; what is left of them in the second summand is for
 * the specular part to explain. A pixel of which the face covers a part shows what is behind it, too, of which the
 * rendering knows nothing: it does not count. |.| is the length of an RGB difference, smoothed at 0 (by less than 1e-4), so that the
 * gradient of a perfect pixel is 0.
 *
 * @returns scalar, mean over the pictures; a picture whose M is empty counts as 0
 * @differentiable diffuse, image. No gradient: inputImage, masks, probabilities: a face must not shrink to escape its errors.
 * @memory the caller owns the result
 * @throws {ShapeError} when shapes differ
 * @throws {ValueError} when `eta` is negative or not a number
 */
export function photometricLoss({
  inputImage,
  diffuse,
  image,
  mask,
  faceRegion,
  skinProbability,
  eta = 1,
}: PhotometricLossInput): Scalar {
  const known = assertShape('photometricLoss: inputImage', inputImage, ['B', 'H', 'W', 3])
  assertShape('photometricLoss: diffuse', diffuse, ['B', 'H', 'W', 3], known)
  assertShape('photometricLoss: image', image, ['B', 'H', 'W', 3], known)
  assertShape('photometricLoss: mask', mask, ['B', 'H', 'W', 1], known)
  assertShape('photometricLoss: faceRegion', faceRegion, ['B', 'H', 'W', 1], known)
  assertShape('photometricLoss: skinProbability', skinProbability, ['B', 'H', 'W', 1], known)
  assertInRange('photometricLoss: eta', eta, 0)
  return tidy(() => {
    const weights = { mask, faceRegion }
    const diffuseError = colorResidual(diffuse, inputImage, { ...weights, skinProbability }, EPSILON)
    if (eta === 0) return diffuseError
    return add(diffuseError, mul(eta, colorResidual(image, inputImage, weights, EPSILON))) as Scalar
  })
}
