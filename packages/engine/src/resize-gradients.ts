import {
  registerKernel,
  unregisterKernel,
  util,
  type KernelConfig,
  type TensorInfo,
} from '@tensorflow/tfjs-core'
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { floats, registerWasmKernel } from './wasm-kernel.js'

interface Attributes {
  alignCorners: boolean
  /** tfjs' own kernels pass over this one, and get these gradients wrong. */
  halfPixelCenters?: boolean
}

/** For each output position along an axis: the two input positions that it mixes, and the second one's share. */
interface Samples {
  low: Int32Array
  high: Int32Array
  share: Float64Array
}

/** Where bilinear resizing reads, as TensorFlow has it. */
function bilinearSamples(
  input: number,
  output: number,
  { alignCorners, halfPixelCenters }: Attributes,
): Samples {
  const samples = emptySamples(output)
  const scale = alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output
  for (let i = 0; i < output; i++) {
    const position = halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i
    const below = Math.floor(position)
    samples.low[i] = Math.max(0, below)
    samples.high[i] = Math.min(input - 1, Math.ceil(position))
    samples.share[i] = position - below
  }
  return samples
}

/** Where nearest-neighbour resizing reads. */
function nearestSamples(
  input: number,
  output: number,
  { alignCorners, halfPixelCenters }: Attributes,
): Samples {
  const samples = emptySamples(output)
  const scale = alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output
  for (let i = 0; i < output; i++) {
    const position = halfPixelCenters ? scale * (i + 0.5) : scale * i
    const index = alignCorners ? Math.round(position) : Math.floor(position)
    samples.low[i] = samples.high[i] = Math.min(input - 1, Math.max(0, index))
  }
  return samples
}

const emptySamples = (output: number): Samples => ({
  low: new Int32Array(output),
  high: new Int32Array(output),
  share: new Float64Array(output),
})

/** Hands each output pixel's gradient back to the input pixels that it was mixed from. */
function spread(
  dy: Float32Array,
  dx: Float32Array,
  shape: number[],
  size: number[],
  rows: Samples,
  columns: Samples,
) {
  const [batch, height, width, depth] = shape
  const [outHeight, outWidth] = size
  dx.fill(0)
  let from = 0
  for (let b = 0; b < batch; b++) {
    for (let r = 0; r < outHeight; r++) {
      const top = (b * height + rows.low[r]) * width
      const bottom = (b * height + rows.high[r]) * width
      const v = rows.share[r]
      for (let c = 0; c < outWidth; c++) {
        const u = columns.share[c]
        const [left, right] = [columns.low[c], columns.high[c]]
        const corners = [top + left, top + right, bottom + left, bottom + right]
        const shares = [(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u]
        for (let k = 0; k < 4; k++) {
          if (shares[k] === 0) continue
          const to = corners[k] * depth
          for (let d = 0; d < depth; d++) dx[to + d] += dy[from + d] * shares[k]
        }
        from += depth
      }
    }
  }
}

interface Arguments {
  inputs: Record<'images' | 'dy', TensorInfo>
  attrs: Attributes
}

const kernels = { ResizeBilinearGrad: bilinearSamples, ResizeNearestNeighborGrad: nearestSamples }

function gradient(
  name: keyof typeof kernels,
  { inputs, attrs }: Arguments,
  dy: Float32Array,
  dx: Float32Array,
) {
  const { shape } = inputs.images
  const size = inputs.dy.shape.slice(1, 3)
  const samples = kernels[name]
  spread(dy, dx, shape, size, samples(shape[1], size[0], attrs), samples(shape[2], size[1], attrs))
}

const names = Object.keys(kernels) as (keyof typeof kernels)[]

/** Replaces the gradients of resizing on WASM: the stock ones are wrong for half pixels, and for nearest neighbours. */
export function registerWasmResizeGradients(): void {
  for (const name of names) {
    registerWasmKernel<'images' | 'dy', Attributes>(name, (args) => {
      const { inputs, backend } = args
      const out = backend.makeOutput(inputs.images.shape, 'float32')
      gradient(name, args, floats(backend, inputs.dy), floats(backend, out))
      return out
    })
  }
}

/** Replaces them on the CPU backend: the stock ones are wrong for half pixels, and for pictures that are not square. */
export function registerCpuResizeGradients(): void {
  for (const name of names) {
    unregisterKernel(name, 'cpu')
    registerKernel({
      kernelName: name,
      backendName: 'cpu',
      kernelFunc: ((args: Arguments & { backend: MathBackendCPU }) => {
        const { inputs, backend } = args
        const values = new Float32Array(util.sizeFromShape(inputs.images.shape))
        gradient(name, args, backend.data.get(inputs.dy.dataId as object).values as Float32Array, values)
        return backend.makeTensorInfo(inputs.images.shape, 'float32', values)
      }) as unknown as KernelConfig['kernelFunc'],
    })
  }
}
