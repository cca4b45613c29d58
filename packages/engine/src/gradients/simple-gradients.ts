import {
  cast,
  greater,
  less,
  logicalAnd,
  mul,
  onesLike,
  reshape,
  square,
  sub,
  sum,
  util,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { activationGradient, UNBOUNDED } from './activation-gradient.js'
import { expand } from './expand.js'
import { replaceGradient } from '../tfjs/typed-gradient.js'
import { hasOwnKernels } from '../backends/own-kernels.js'

let complete = false

/** Makes the gradients of sums, means, activations and Tile one pass each: stock tfjs multiplies with a tensor of ones, with a step function made
 * for it, or adds up slices one by one. Activations keep their output for it, which the next operation keeps anyway, rather than their input.
 * Does nothing the second time. */
export function completeSimpleGradients(): void {
  if (complete) return
  complete = true
  replaceGradient<AxisAttributes>('Sum', {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({ x: () => spread(dy, x, axesOf(attributes, x), 1) }),
  })
  replaceGradient<AxisAttributes>('Mean', {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const axes = axesOf(attributes, x)
      const count = axes.reduce((product, axis) => product * x.shape[axis], 1)
      return { x: () => spread(dy, x, axes, 1 / count) }
    },
  })
  replaceGradient('Relu', {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGradient(dy, y) }),
  })
  replaceGradient('Relu6', {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGradient(dy, y, 6) }),
  })
  replaceGradient('Sigmoid', {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () => (hasOwnKernels() ? activationGradient('sigmoid', dy, y) : mul(dy, mul(y, sub(1, y)))),
    }),
  })
  replaceGradient('Tanh', {
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () => (hasOwnKernels() ? activationGradient('tanh', dy, y) : mul(dy, sub(1, square(y)))),
    }),
  })
  replaceGradient<{ reps: number[] }>('Tile', {
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => tileGradient(dy, x, attributes.reps),
    }),
  })
}

interface AxisAttributes {
  axis?: number | number[]
}

const axesOf = ({ axis }: AxisAttributes, x: Tensor) =>
  util.parseAxisParam(axis ?? [...x.shape.keys()], x.shape)

function spread(dy: Tensor, x: Tensor, axes: number[], factor: number): Tensor {
  if (hasOwnKernels()) return expand(dy, x.shape, axes, factor)
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  return mul(reshape(factor === 1 ? dy : mul(dy, factor), kept), onesLike(x))
}

function reluGradient(dy: Tensor, y: Tensor, end?: number): Tensor {
  if (hasOwnKernels()) return activationGradient('relu', dy, y, end ?? UNBOUNDED)
  const positive = greater(y, 0)
  const open = end === undefined ? positive : logicalAnd(positive, less(y, end))
  return mul(dy, cast(open, 'float32'))
}

/** Each axis that was repeated becomes two, and the first of them is added up. */
function tileGradient(dy: Tensor, x: Tensor, reps: readonly number[]): Tensor {
  const split: number[] = []
  const axes: number[] = []
  for (const [axis, size] of x.shape.entries()) {
    if (reps[axis] !== 1) {
      axes.push(split.length)
      split.push(reps[axis])
    }
    split.push(size)
  }
  return reshape(axes.length === 0 ? dy : sum(reshape(dy, split), axes), x.shape)
}
