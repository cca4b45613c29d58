import { takeChannels } from './channel-kernels.js'
import {
  add,
  clipByValue,
  mul,
  reshape,
  slice,
  sub,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'

/** Channels of a picture, counted from 0. */
export const channels = (picture: Tensor4D, first: number, count = 1): Tensor4D =>
  takeChannels(picture, first, count)

/** Columns of what was drawn, for each pixel of a picture: `[B, 1, 1, count]`. */
export const perPicture = (drawn: Tensor2D, first = 0, count = drawn.shape[1] - first): Tensor4D =>
  reshape(slice(drawn, [0, first], [-1, count]), [drawn.shape[0], 1, 1, count])

/** `a` where t is 0, `b` where it is 1. */
export const blend = <T extends Tensor>(a: Tensor, b: Tensor, t: Tensor): T => add(a, mul(sub(b, a), t)) as T

/** 0 below `from`, 1 above `from + 1 / slope`, a straight line between. */
export const ramp = <T extends Tensor>(x: Tensor, from: Tensor | number, slope: Tensor | number): T =>
  clipByValue(mul(sub(x, from), slope), 0, 1) as T
