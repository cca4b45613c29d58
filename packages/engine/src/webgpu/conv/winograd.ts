import type { GpuBackend } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { ConvGeometry } from './geometry.js'
import {
  backToFilter,
  backToPictures,
  changeFilter,
  changeGradients,
  changePatches,
} from './winograd-changes.js'
import { matrixProduct } from '../matmul/matmul.js'
import { plainFinish, type GpuFinishCode } from '../matmul/finish.js'

/** From how many channels on, in and out, and how many blocks of 2 x 2 pixels: with few pixels the filter's change costs more than it saves. For benchmarks
 * to change. */
export const winograd = { channels: 128, blocks: 128 }

/** Whether a convolution can be done in Winograd's basis, and is worth it: what the changes of basis cost grows with the pixels times the
 * channels, what they save with the channels squared. */
export function suitsWinograd(backend: KernelBackend, batch: number, g: ConvGeometry): boolean {
  const ones = [g.strideHeight, g.strideWidth, g.dilationHeight, g.dilationWidth]
  const { limits } = (backend as GpuBackend).device
  const channels = [g.inChannels, g.outChannels]
  // Of the larger of both pictures.
  const blocks =
    batch * Math.ceil(Math.max(g.inHeight, g.outHeight) / 2) * Math.ceil(Math.max(g.inWidth, g.outWidth) / 2)
  return (
    g.filterHeight === 3 &&
    g.filterWidth === 3 &&
    ones.every((value) => value === 1) &&
    blocks >= winograd.blocks &&
    g.padTop <= 2 &&
    g.padLeft <= 2 &&
    channels.every((count) => count % 4 === 0 && count >= winograd.channels) &&
    64 * Math.max(blocks, g.inChannels) * Math.max(...channels) <= limits.maxStorageBufferBindingSize
  )
}

/** A convolution with a filter of 3 x 3.
 *
 * @returns `[B, Ho, Wo, Co]`
 */
export function winogradForward(
  backend: KernelBackend,
  x: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
  finish: GpuFinishCode = plainFinish,
): TensorInfo {
  const out = { height: g.outHeight, width: g.outWidth }
  const patches = changePatches(backend, x, out, g.padTop, g.padLeft)
  const changed = changeFilter(backend, filter, false)
  return backToPictures(backend, product(backend, patches, changed, false, false), x.shape[0], out, finish)
}

/** Its gradient with respect to the input: a convolution with the flipped filter.
 *
 * @returns `[B, H, W, Ci]`
 */
export function winogradInputGradient(
  backend: KernelBackend,
  dy: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const out = { height: g.inHeight, width: g.inWidth }
  const patches = changePatches(backend, dy, out, 2 - g.padTop, 2 - g.padLeft)
  const changed = changeFilter(backend, filter, true)
  return backToPictures(
    backend,
    product(backend, patches, changed, false, true),
    dy.shape[0],
    out,
    plainFinish,
  )
}

/** Its gradient with respect to the filter.
 *
 * @returns `[3, 3, Ci, Co]`
 */
export function winogradFilterGradient(
  backend: KernelBackend,
  x: TensorInfo,
  dy: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const out = { height: g.outHeight, width: g.outWidth }
  const patches = changePatches(backend, x, out, g.padTop, g.padLeft)
  const gradients = changeGradients(backend, dy)
  const sums = product(backend, patches, gradients, true, false)
  return backToFilter(backend, sums)
}

/** The 16 products. Disposes of both. */
function product(
  backend: KernelBackend,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const result = matrixProduct(backend, a, b, transposeA, transposeB)
  for (const { dataId } of [a, b]) backend.disposeData(dataId)
  return result
}
