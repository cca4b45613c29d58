import { defineKernel, float32 } from '@facekit/kernels'
import { concat, slice, type Tensor } from '@tensorflow/tfjs-core'

interface Attributes {
  widths: readonly number[]
}

/** Channels before a part, or of all parts. */
const channels = (widths: readonly number[], parts = widths.length) =>
  widths.slice(0, parts).reduce((total, width) => total + width, 0)

/** Takes one part out again. */
const partKernel = defineKernel({
  name: 'FacekitPackChannelsGradient',
  inputs: { packed: 'float32' },
  outputs: ({ packed }, { width }: { start: number; width: number }) => ({
    part: float32([...packed.slice(0, -1), width]),
  }),
  cpu({ packed }, { part }, shapes, { start, width }) {
    const total = shapes.packed.at(-1)!
    for (let to = 0, from = start; to < part.length; from += total, to += width) {
      for (let c = 0; c < width; c++) part[to + c] = packed[from + c]
    }
  },
  operations: ({ packed }, { start, width }) =>
    slice(
      packed,
      packed.shape.map((_, axis) => (axis === packed.rank - 1 ? start : 0)),
      packed.shape.map((_, axis) => (axis === packed.rank - 1 ? width : -1)),
    ),
})

const kernel = defineKernel({
  name: 'FacekitPackChannels',
  inputs: { a: 'float32', b: 'float32', c: 'float32?', d: 'float32?' },
  outputs: ({ a }, { widths }: Attributes) => ({ packed: float32([...a.slice(0, -1), channels(widths)]) }),
  cpu({ a, b, c, d }, { packed }, _shapes, { widths }) {
    const total = channels(widths)
    let start = 0
    for (const [index, part] of [a, b, c, d].entries()) {
      if (part === undefined) break
      const width = widths[index]
      for (let from = 0, to = start; from < part.length; from += width, to += total) {
        for (let c = 0; c < width; c++) packed[to + c] = part[from + c]
      }
      start += width
    }
  },
  operations: ({ a, b, c, d }) =>
    concat(
      [a, b, c, d].filter((part) => part !== undefined),
      -1,
    ),
  gradient({ upstream: { packed }, attributes: { widths } }) {
    const part = (index: number) => () =>
      partKernel({ packed }, { start: channels(widths, index), width: widths[index] })
    return { a: part(0), b: part(1), c: part(2), d: part(3) }
  },
})

/** Puts 2 to 4 tensors side by side along the last axis: `tf.concat`, which takes 10 ms for a picture of 224 x 224 x 8 on WASM,
 * in a loop that takes a tenth of a millisecond.
 *
 * @differentiable every part
 */
export function packChannels(parts: readonly [Tensor, Tensor, Tensor?, Tensor?]): Tensor {
  const [a, b, c, d] = parts
  const widths = parts.filter((part) => part !== undefined).map(({ shape }) => shape.at(-1)!)
  return kernel({ a, b, c, d }, { widths })
}
