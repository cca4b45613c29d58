import { takeChannels } from './channels.js'
import { defaultCamera } from '@facekit/render'
import { div, reshape, slice, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'

/** Channels of a picture, counted from 0. */
export const channels = (picture: Tensor4D, first: number, count = 1): Tensor4D =>
  takeChannels(picture, first, count)

/** Columns of what was sampled, for each pixel of a picture: `[B, 1, 1, count]`. */
export const perPicture = (sampled: Tensor2D, first = 0, count = sampled.shape[1] - first): Tensor4D =>
  reshape(slice(sampled, [0, first], [-1, count]), [sampled.shape[0], 1, 1, count])

/** How many mm of the head a pixel covers, about: `[B, 1, 1, 1]`.
 *
 * @param scale - `[B, 1]` of the head
 */
export function pixelSize(scale: Tensor2D, size: number): Tensor4D {
  const focal = size / 2 / Math.tan(defaultCamera.fieldOfView / 2)
  return div(defaultCamera.distance / focal, perPicture(scale)) as Tensor4D
}
