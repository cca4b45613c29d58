import {
  cast,
  greater,
  less,
  logicalAnd,
  mul,
  onesLike,
  registerGradient,
  reshape,
  square,
  sub,
  sum,
  unregisterGradient,
  util,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core'
import { activationGradient, UNBOUNDED } from './activation-gradient.js'
import { expand } from './expand.js'
import { hasOwnKernels } from '../backends/own-kernels.js'

let complete = false

/** Makes the gradients of sums, means, activations and Tile one pass each: stock tfjs multiplies with a tensor of ones, with a step function made
 * for it, or adds up slices one by one. Activations keep their output for it, which the next operation keeps anyway, rather than their input.
 * Does nothing the second time. */
export function completeSimpleGradients(): void {
  if (complete) return
  complete = true
  replace({
    kernelName: 'Sum',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({ x: () => spread(dy as Tensor, x, axesOf(attributes, x), 1) }),
  })
  replace({
    kernelName: 'Mean',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const axes = axesOf(attributes, x)
      const count = axes.reduce((product, axis) => product * x.shape[axis], 1)
      return { x: () => spread(dy as Tensor, x, axes, 1 / count) }
    },
  })
  replace({
    kernelName: 'Relu',
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGradient(dy as Tensor, y) }),
  })
  replace({
    kernelName: 'Relu6',
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => reluGradient(dy as Tensor, y, 6) }),
  })
  replace({
    kernelName: 'Sigmoid',
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () =>
        hasOwnKernels()
          ? activationGradient('sigmoid', dy as Tensor, y)
          : mul(dy as Tensor, mul(y, sub(1, y))),
    }),
  })
  replace({
    kernelName: 'Tanh',
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({
      x: () =>
        hasOwnKernels() ? activationGradient('tanh', dy as Tensor, y) : mul(dy as Tensor, sub(1, square(y))),
    }),
  })
  replace({
    kernelName: 'Tile',
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => tileGradient(dy as Tensor, x, (attributes as unknown as { reps: number[] }).reps),
    }),
  })
}

function replace(config: GradConfig): void {
  unregisterGradient(config.kernelName)
  registerGradient(config)
}

const axesOf = (attributes: unknown, x: Tensor) =>
  util.parseAxisParam((attributes as { axis: number | number[] }).axis ?? null!, x.shape)

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
