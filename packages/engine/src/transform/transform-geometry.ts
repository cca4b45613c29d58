import type { TensorInfo } from '@tensorflow/tfjs-core'

/** Attributes of `tf.image.transform`. */
export interface TransformAttributes {
  interpolation: 'nearest' | 'bilinear'
  fillMode: 'constant' | 'reflect' | 'wrap' | 'nearest'
  fillValue: number
  outputShape?: [number, number]
}

/** Inputs of `tf.image.transform`: `[B, H, W, C]`, and `[B, 8]` or `[1, 8]`. */
export interface TransformInputs {
  image: TensorInfo
  transforms: TensorInfo
}

/** `[B, H, W, C]` of the result. */
export function transformedShape(image: TensorInfo, { outputShape }: TransformAttributes): number[] {
  const [batch, height, width, channels] = image.shape
  return [batch, ...(outputShape ?? [height, width]), channels]
}
