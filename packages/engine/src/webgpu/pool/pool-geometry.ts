import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core'
import { GROUP, type Storage } from '../columns.js'

/** Attributes of MaxPool, AvgPool and their gradients. */
export interface PoolAttributes {
  filterSize: number | [number, number]
  strides: number | [number, number]
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

/** Sizes and steps of a pooling. */
export function poolInfo(x: TensorInfo, attributes: PoolAttributes): backend_util.Conv2DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attributes
  const shape = x.shape as [number, number, number, number]
  return backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode)
}

/** Uniforms of all pooling programs: threads, then `poolUniforms`. */
export const POOL_UNIFORMS = [
  'size: u32',
  ...['inHeight', 'inWidth', 'outHeight', 'outWidth', 'columns'].map((name) => `${name}: i32`),
  ...['filterHeight', 'filterWidth', 'strideHeight', 'strideWidth', 'top', 'left'].map(
    (name) => `${name}: i32`,
  ),
]

/** @param columns - loads in a pixel */
export const poolUniforms = (info: backend_util.Conv2DInfo, columns: number): number[] => [
  info.inHeight,
  info.inWidth,
  info.outHeight,
  info.outWidth,
  columns,
  info.filterHeight,
  info.filterWidth,
  info.strideHeight,
  info.strideWidth,
  info.padInfo.top,
  info.padInfo.left,
]

/** WGSL: batch, row, column and channel of this thread's number. */
export const poolPosition = (height: string, width: string): string => /* wgsl */ `
  ${GROUP}
  let index = group * 256u + local;
  if (index >= uniforms.size) { return; }
  let channel = i32(index) % uniforms.columns;
  let pixel = i32(index) / uniforms.columns;
  let column = pixel % uniforms.${width};
  let row = (pixel / uniforms.${width}) % uniforms.${height};
  let batch = pixel / (uniforms.${width} * uniforms.${height});`

/** WGSL: runs `body` for each number `value` of this thread's window, at place `i`, `j` in it.
 *
 * @param read - how the numbers of `x` are read
 */
export const forEachInWindow = (body: string, read: Storage['read']): string => /* wgsl */ `
  for (var i = 0; i < uniforms.filterHeight; i++) {
    let y = row * uniforms.strideHeight - uniforms.top + i;
    if (y < 0 || y >= uniforms.inHeight) { continue; }
    for (var j = 0; j < uniforms.filterWidth; j++) {
      let z = column * uniforms.strideWidth - uniforms.left + j;
      if (z < 0 || z >= uniforms.inWidth) { continue; }
      let value = ${read('x[((batch * uniforms.inHeight + y) * uniforms.inWidth + z) * uniforms.columns + channel]')};
      ${body}
    }
  }`
