import { backend_util } from '@tensorflow/tfjs-core'

/** Everything of a convolution except for its batch. */
export type ConvGeometry = Pick<
  backend_util.Conv2DInfo,
  | 'inHeight'
  | 'inWidth'
  | 'inChannels'
  | 'outHeight'
  | 'outWidth'
  | 'outChannels'
  | 'filterHeight'
  | 'filterWidth'
  | 'strideHeight'
  | 'strideWidth'
  | 'dilationHeight'
  | 'dilationWidth'
> & { padTop: number; padLeft: number }

/** Attributes that the kernels of convolutions share. */
export interface ConvAttributes {
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding
  dataFormat?: 'NHWC' | 'NCHW'
  dilations?: [number, number] | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type Shape4D = [number, number, number, number]

export function convGeometry(
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations = 1, dimRoundingMode }: ConvAttributes,
  depthwise = false,
): ConvGeometry {
  const info = backend_util.computeConv2DInfo(
    input as Shape4D,
    filter as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  )
  return {
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    inChannels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    filterHeight: info.filterHeight,
    filterWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  }
}

/** For names of programs. */
export const geometryKey = (g: ConvGeometry): string => Object.values(g).join('_')

/** Whether some window of the convolution looks beyond the picture's border. */
export function looksOutside(g: ConvGeometry): boolean {
  const bottom = (g.outHeight - 1) * g.strideHeight + (g.filterHeight - 1) * g.dilationHeight - g.padTop
  const right = (g.outWidth - 1) * g.strideWidth + (g.filterWidth - 1) * g.dilationWidth - g.padLeft
  return g.padTop > 0 || g.padLeft > 0 || bottom >= g.inHeight || right >= g.inWidth
}
