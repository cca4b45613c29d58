import { conv2d, depthToSpace, pad, slice, type Tensor4D } from '@tensorflow/tfjs-core'
import { convolve, type Layer, type TensorStore } from '../network-layers.js'

/** A convolution with constant weights and its transpose: 'same' with stride 1, or 'valid' with stride 2.
 *
 * The transpose of stride 1 is a convolution with the turned filter. That of stride 2 is written as one convolution of
 * the small picture that gives the four pixels of each 2 x 2 block as channels, followed by `depthToSpace`: a quarter of
 * the work of a convolution over the picture with zeros in between, and nothing but kernels that every backend has.
 * (The kernel for it, Conv2DBackpropInput, is a plain loop on WASM.)
 */
export class DifferentiableLayer {
  private readonly layer: Layer
  private transpose: Tensor4D | undefined

  constructor(
    private readonly store: TensorStore,
    private readonly filter: Float32Array,
    private readonly shape: readonly [number, number, number, number],
    bias: Float32Array,
    private readonly stride: 1 | 2,
  ) {
    this.layer = store.layer(filter, [...shape], bias)
  }

  /** @param x - `[B, H, W, Cin]`; no gradient is recorded */
  forward(x: Tensor4D, activation: 'linear' | 'relu'): Tensor4D {
    const { stride } = this
    return convolve(x, this.layer, { stride, padding: stride === 1 ? 'same' : 'valid', activation })
  }

  /** @param dy - gradient of the output, before its activation
   * @param shape - `[B, H, W, Cin]` of the input
   * @returns gradient of the input */
  backward(dy: Tensor4D, shape: readonly number[]): Tensor4D {
    this.transpose ??= this.stride === 1 ? this.turnedFilter() : this.blockFilter()
    if (this.stride === 1) return conv2d(dy, this.transpose, 1, 'same')
    const margin = (this.transpose.shape[0] - 1) as number
    const padded = pad(dy, [[0, 0], [margin, margin], [margin, margin], [0, 0]]) as Tensor4D // prettier-ignore
    const blocks = depthToSpace(conv2d(padded, this.transpose, 1, 'valid'), 2)
    return slice(blocks, [0, 0, 0, 0], shape as [number, number, number, number])
  }

  private turnedFilter(): Tensor4D {
    const [size, , input, output] = this.shape
    const turned = new Float32Array(this.filter.length)
    for (let tap = 0; tap < size * size; tap++) {
      for (let i = 0; i < input; i++) {
        for (let o = 0; o < output; o++) {
          turned[((size * size - 1 - tap) * output + o) * input + i] =
            this.filter[(tap * input + i) * output + o]
        }
      }
    }
    return this.store.add(turned, [size, size, output, input])
  }

  /** dx[2q + r] = sum_m dy[q - m] f[2m + r], for both axes; channel (2 r_y + r_x) Cin + i holds pixel (r_y, r_x). */
  private blockFilter(): Tensor4D {
    const [size, , input, output] = this.shape
    const taps = Math.ceil(size / 2)
    const blocks = new Float32Array(taps * taps * output * 4 * input)
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const row = taps - 1 - (y >> 1)
        const column = taps - 1 - (x >> 1)
        const phase = 2 * (y & 1) + (x & 1)
        for (let i = 0; i < input; i++) {
          for (let o = 0; o < output; o++) {
            const at = (((row * taps + column) * output + o) * 4 + phase) * input + i
            blocks[at] = this.filter[((y * size + x) * input + i) * output + o]
          }
        }
      }
    }
    return this.store.add(blocks, [taps, taps, output, 4 * input])
  }
}
