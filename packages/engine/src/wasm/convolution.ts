import type { backend_util, TensorInfo } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { addressOf, clear, int32View, wasmExports, withScratch, type Address } from './wasm-module.js'
import { packedFilter, type Tap } from './packed-filter.js'
import { shareTasks, threadCount } from './threads.js'

/** A grid of output pixels and where they lie in memory, in numbers. */
export interface PixelGrid {
  height: number
  width: number
  /** First pixel, and steps from picture to picture, row to row, column to column. */
  first: number
  picture: number
  row: number
  column: number
}

/** Activations that are part of a convolution, by the numbers that assembly/matrix.ts has for them. */
const CLAMPS = { linear: 0, relu: 1, relu6: 2 } as const

export type ClampingActivation = keyof typeof CLAMPS

export const isClamping = (activation: string): activation is ClampingActivation => activation in CLAMPS

export interface GatherConvolution {
  x: TensorInfo
  filter: TensorInfo
  direction: 'forward' | 'backward'
  taps: readonly Tap[]
  strideHeight: number
  strideWidth: number
  out: TensorInfo
  grid: PixelGrid
  bias?: TensorInfo
  activation?: ClampingActivation
}

/** All taps of a convolution. */
export function convolutionTaps(info: backend_util.Conv2DInfo): Tap[] {
  const taps: Tap[] = []
  for (let ky = 0; ky < info.filterHeight; ky++) {
    for (let kx = 0; kx < info.filterWidth; kx++) {
      const dy = ky * info.dilationHeight - info.padInfo.top
      const dx = kx * info.dilationWidth - info.padInfo.left
      taps.push({ index: ky * info.filterWidth + kx, dy, dx })
    }
  }
  return taps
}

/** The convolution that assembly/convolution.ts describes, into the pixels of a grid. */
export function gatherConvolution(backend: BackendWasm, convolution: GatherConvolution): void {
  const { x, filter, direction, taps, out, grid, bias, activation = 'linear' } = convolution
  const [batch, height, width, channels] = x.shape
  const outputs = filter.shape[direction === 'forward' ? 3 : 2]
  const pixels = batch * grid.height * grid.width
  if (pixels * outputs === 0) return
  const panels = packedFilter(backend, filter, taps, direction)
  const { convolve, convolveScratch } = wasmExports(backend)
  const bytes = convolveScratch(outputs)
  const parts = parallelParts(backend, pixels * taps.length * channels * outputs)
  withTaps(backend, taps, channels, parts === 1 ? bytes : 0, (tapsAt, zeros, scratch) => {
    const numbers = [
      addressOf(backend, x),
      height,
      width,
      channels,
      zeros,
      tapsAt,
      taps.length,
      grid.height,
      grid.width,
      convolution.strideHeight,
      convolution.strideWidth,
      panels,
      outputs,
      addressOf(backend, out) + grid.first * 4,
      grid.picture * 4,
      grid.row * 4,
      grid.column * 4,
      bias ? addressOf(backend, bias) : 0,
      CLAMPS[activation],
    ]
    if (parts === 1) {
      convolve(...numbers, 0, pixels, scratch)
      return
    }
    // Blocks of pixels first; where there are few of them, as deep in a network, outputs as well.
    const pixelTasks = Math.min(parts, Math.ceil(pixels / PIXELS))
    const pixelsAtOnce = Math.ceil(pixels / pixelTasks / PIXELS) * PIXELS
    const outputsAtOnce = Math.ceil(outputs / Math.ceil(parts / pixelTasks) / 8) * 8
    const tasks = Math.ceil(pixels / pixelsAtOnce) * Math.ceil(outputs / outputsAtOnce)
    shareTasks(backend, 'convolve', tasks, bytes, [...numbers, pixels, pixelsAtOnce, outputsAtOnce])
  })
}

/** Pixels that a convolution does at once; see assembly/convolution.ts. */
const PIXELS = 64

/** Products that are worth waking a thread for: about half a millisecond's. */
const WORTH_SHARING = 8e6

/** Into how many tasks work is best cut, of so many products: several for each thread, since threads may be disturbed. */
export function parallelParts(backend: BackendWasm, products: number): number {
  const threads = threadCount(backend)
  return threads === 1 || products < WORTH_SHARING ? 1 : threads * 4
}

/** Lays down the shifts of taps, and zeros for a pixel outside of the picture. */
export function withTaps(
  backend: BackendWasm,
  taps: readonly Tap[],
  channels: number,
  scratchBytes: number,
  use: (taps: Address, zeros: Address, scratch: Address) => void,
): void {
  const zeroBytes = (channels * 4 + 15) & ~15
  const tapBytes = (taps.length * 8 + 15) & ~15
  withScratch(backend, zeroBytes + tapBytes + scratchBytes, (zeros) => {
    clear(backend, zeros, zeroBytes)
    const tapsAt = zeros + zeroBytes
    int32View(backend, tapsAt, taps.length * 2).set(taps.flatMap(({ dy, dx }) => [dy, dx]))
    use(tapsAt, zeros, tapsAt + tapBytes)
  })
}
