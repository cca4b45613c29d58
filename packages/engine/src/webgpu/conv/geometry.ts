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
  /** tfjs-layers gives `null` where it was told nothing. */
  dilations?: [number, number] | number | null
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type Shape4D = [number, number, number, number]

export function convGeometry(
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations, dimRoundingMode }: ConvAttributes,
  depthwise = false,
): ConvGeometry {
  const info = backend_util.computeConv2DInfo(
    input as Shape4D,
    filter as Shape4D,
    strides,
    dilations ?? 1,
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

/** A convolution's sizes as WGSL expressions of type u32, and the uniforms that they need. */
export interface SizeExpressions {
  names: Record<keyof ConvGeometry, string>
  uniforms: string[]
  values: number[]
  /** For names of programs. */
  key: string
}

/** Sizes are uniforms, so that one program, whose compilation takes a tenth of a second, serves all layers of a kind; constants
 * where the code divides by them again and again. */
export function sizeExpressions(g: ConvGeometry, constant: boolean): SizeExpressions {
  const keys = Object.keys(g) as (keyof ConvGeometry)[]
  const name = (key: keyof ConvGeometry) => (constant ? `${g[key]}u` : `uniforms.${key}`)
  return {
    names: Object.fromEntries(keys.map((key) => [key, name(key)])) as Record<keyof ConvGeometry, string>,
    uniforms: constant ? [] : keys.map((key) => `${key}: u32`),
    values: constant ? [] : Object.values(g),
    key: constant ? geometryKey(g) : 'any',
  }
}

/** Whether some window of the convolution looks beyond the picture's border. */
export function looksOutside(g: ConvGeometry): boolean {
  const bottom = (g.outHeight - 1) * g.strideHeight + (g.filterHeight - 1) * g.dilationHeight - g.padTop
  const right = (g.outWidth - 1) * g.strideWidth + (g.filterWidth - 1) * g.dilationWidth - g.padLeft
  return g.padTop > 0 || g.padLeft > 0 || bottom >= g.inHeight || right >= g.inWidth
}
