import type { PlainKernel } from '../cpu/plain-kernel.js'

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

const gradient = (
  name: string,
  samples: typeof bilinearSamples,
): PlainKernel<'images' | 'dy', Attributes> => ({
  name,
  shape: ({ images }) => images.shape,
  compute: ({ dy }, result, inputs, attributes) => {
    const { shape } = inputs.images
    const size = inputs.dy.shape.slice(1, 3)
    const rows = samples(shape[1], size[0], attributes)
    const columns = samples(shape[2], size[1], attributes)
    spread(dy, result, shape, size, rows, columns)
  },
})

/** Gradient of bilinear resizing. The stock ones are wrong for half pixels, and on the CPU backend for pictures that are
 * not square. */
export const resizeBilinearGradient = gradient('ResizeBilinearGrad', bilinearSamples)

/** Gradient of nearest-neighbour resizing. The stock ones are wrong. */
export const resizeNearestGradient = gradient('ResizeNearestNeighborGrad', nearestSamples)
