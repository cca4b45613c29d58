import {
  customGrad,
  matMul,
  reshape,
  tidy,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core'
import type { TensorStore } from '../network-layers.js'

/** A square of a crop, as a share of the crop's width. */
export interface ChipWindow {
  x: number
  y: number
  size: number
}

/** Cuts a fixed square out of crops and resizes it, as two products with constant matrices.
 *
 * Each pixel of the result is a mean under a triangle that is as wide as one pixel of the coarser grid, so that a large crop
 * does not alias; outside of the crop its border pixels are repeated. Linear, hence exactly differentiable, and with
 * nothing but matrix products: `cropAndResize` and some resizers have no gradient. The product over columns takes the
 * colours along (a matrix of 3 times the width) since a transposition would cost more.
 */
export class ChipResampler {
  private readonly forward: readonly [Tensor2D, Tensor2D]
  private readonly backward: readonly [Tensor2D, Tensor2D]
  /** With a gradient of our own: that of tfjs multiplies by transposed matrices, 15 times slower on WASM. */
  private readonly resample = customGrad((crops) => ({
    value: this.multiply(crops as Tensor4D, this.forward, this.size, this.chipSize),
    gradFunc: (dy: Tensor) =>
      tidy(() => this.multiply(dy as Tensor4D, this.backward, this.chipSize, this.size)),
  }))

  constructor(
    store: TensorStore,
    private readonly size: number,
    private readonly chipSize: number,
    window: ChipWindow,
  ) {
    const vertical = resamplingMatrix(size, chipSize, window.y, window.size)
    const horizontal = resamplingMatrix(size, chipSize, window.x, window.size)
    const columns = new Float32Array(size * 3 * chipSize * 3)
    const columnsTurned = new Float32Array(columns.length)
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < chipSize; j++) {
        for (let c = 0; c < 3; c++) {
          columns[(i * 3 + c) * chipSize * 3 + j * 3 + c] = horizontal[j * size + i]
          columnsTurned[(j * 3 + c) * size * 3 + i * 3 + c] = horizontal[j * size + i]
        }
      }
    }
    const verticalTurned = vertical.map((_, i) => vertical[(i % chipSize) * size + Math.floor(i / chipSize)])
    this.forward = [store.add(vertical, [chipSize, size]), store.add(columns, [size * 3, chipSize * 3])]
    this.backward = [
      store.add(verticalTurned, [size, chipSize]),
      store.add(columnsTurned, [chipSize * 3, size * 3]),
    ]
  }

  /** @param crops - `[B, size, size, 3]`
   * @returns `[B, chipSize, chipSize, 3]`; differentiable */
  apply(crops: Tensor4D): Tensor4D {
    return this.resample(crops) as Tensor4D
  }

  private multiply(
    pictures: Tensor4D,
    [rows, columns]: readonly [Tensor2D, Tensor2D],
    from: number,
    to: number,
  ): Tensor4D {
    const batch = pictures.shape[0]
    const lines = reshape(pictures, [batch, from, from * 3])
    const narrowed = reshape(matMul(reshape(rows, [1, to, from]), lines), [batch * to, from * 3]) as Tensor2D
    return reshape(matMul(narrowed, columns), [batch, to, to, 3])
  }
}

/** `[target, source]` weights that resample a line: window of the source, as shares of its length, to the target. */
function resamplingMatrix(source: number, target: number, start: number, length: number): Float32Array {
  const matrix = new Float32Array(target * source)
  const step = (length * source) / target
  const reach = Math.max(1, step)
  for (let j = 0; j < target; j++) {
    const center = start * source + (j + 0.5) * step
    const first = Math.floor(center - reach)
    const last = Math.ceil(center + reach)
    let total = 0
    for (let i = first; i <= last; i++) total += Math.max(0, 1 - Math.abs(i + 0.5 - center) / reach)
    for (let i = first; i <= last; i++) {
      const inside = Math.min(source - 1, Math.max(0, i))
      matrix[j * source + inside] += Math.max(0, 1 - Math.abs(i + 0.5 - center) / reach) / total
    }
  }
  return matrix
}
