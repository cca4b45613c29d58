import { type HostKernel, hasHostMemory, runHostKernel } from '@facekit/kernels'
import { concat, type Tensor } from '@tensorflow/tfjs-core'

interface Attributes {
  widths: number[]
}

const sum = (widths: number[]) => widths.reduce((total, width) => total + width, 0)
const names = ['a', 'b', 'c', 'd']

/** Takes one part out again. */
const partKernel: HostKernel<{ start: number; width: number }> = {
  name: 'FacekitPackChannelsGradient',
  inputs: ['packed'],
  outputs: ([shape], { width }) => [{ shape: [...shape.slice(0, -1), width], dtype: 'float32' }],
  compute([packed], [part], [shape], { start, width }) {
    const total = shape.at(-1)!
    for (let to = 0, from = start; to < part.length; from += total, to += width) {
      for (let c = 0; c < width; c++) part[to + c] = packed[from + c]
    }
  },
}

const kernels = [2, 3, 4].map((count): HostKernel<Attributes> => ({
  name: `FacekitPackChannels${count}`,
  inputs: names.slice(0, count),
  outputs: ([shape], { widths }) => [{ shape: [...shape.slice(0, -1), sum(widths)], dtype: 'float32' }],
  compute(parts, [packed], _shapes, { widths }) {
    const total = sum(widths)
    let start = 0
    for (const [index, part] of parts.entries()) {
      const width = widths[index]
      for (let from = 0, to = start; from < part.length; from += width, to += total) {
        for (let c = 0; c < width; c++) packed[to + c] = part[from + c]
      }
      start += width
    }
  },
  gradient: {
    gradFunc: (upstream, _saved, attributes) => {
      const { widths } = attributes as unknown as Attributes
      const packed = upstream as Tensor
      return Object.fromEntries(
        widths.map((width, index) => {
          const start = sum(widths.slice(0, index))
          return [names[index], () => runHostKernel(partKernel, { packed }, { start, width })[0]]
        }),
      )
    },
  },
}))

/** Puts 2 to 4 tensors side by side along the last axis: `tf.concat`, which takes 10 ms for a picture of 224 x 224 x 8 on WASM,
 * in a loop that takes a tenth of a millisecond.
 *
 * @differentiable every part
 */
export function packChannels(parts: readonly Tensor[]): Tensor {
  if (!hasHostMemory()) return concat([...parts], -1)
  const inputs = Object.fromEntries(parts.map((part, index) => [names[index], part]))
  const widths = parts.map(({ shape }) => shape.at(-1)!)
  return runHostKernel(kernels[parts.length - 2], inputs, { widths })[0]
}
