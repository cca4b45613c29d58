import { completeBatchNormGradient } from './batch-norm-gradient.js'
import { completeBatchNormalizationLayer } from '../layers/batch-normalization-layer.js'
import { completeConv2DLayer } from '../layers/conv2d-layer.js'
import { completeOptimizers } from '../optimizers/fast-optimizers.js'
import { completeSimpleGradients } from './simple-gradients.js'
import {
  averagePoolGradient,
  mirrorPadGradient,
  productGradient,
  type AveragePoolAttributes,
  type MirrorPadAttributes,
} from './special-gradients.js'
import { replaceGradient, type TypedGradient } from '../tfjs/typed-gradient.js'
import {
  cast,
  cumsum,
  engine,
  getGradient,
  greaterEqual,
  less,
  lessEqual,
  greater,
  matMul,
  mul,
  reshape,
  sub,
  sum,
  tidy,
  transpose,
  util,
  zerosLike,
  type GradConfig,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core'

/** Comparisons are constant almost everywhere; tfjs throws where a backward pass meets one. */
const COMPARISONS = ['Greater', 'Less', 'LessEqual', 'Equal', 'NotEqual', 'LogicalAnd', 'LogicalOr']

let ours: GradConfig | undefined

/** Repairs gradients of tfjs that throw or are wrong whatever the backend: broadcasting in Maximum, Minimum,
 * SquaredDifference and BatchMatMul; Cumsum along an inner axis; Prod; averages at a padded border; MirrorPad; dilated depthwise convolutions; comparisons. Does nothing the second time. */
export function completeGradients(): void {
  // Whoever imports the package `@tensorflow/tfjs`, as TensorFlow's own packages do, registers all stock gradients over ours.
  if (ours !== undefined && getGradient('Maximum') === ours) return
  completeOptimizers()
  completeBatchNormGradient()
  completeBatchNormalizationLayer()
  completeConv2DLayer()
  completeSimpleGradients()
  for (const name of COMPARISONS) {
    replace(name, ['a', 'b'], (_, [a, b]) => ({ a: () => zerosLike(a), b: () => zerosLike(b) }))
  }
  replace('LogicalNot', ['x'], (_, [x]) => ({ x: () => zerosLike(x) }))
  // Where both are equal the first one gets the gradient, once.
  replace('Maximum', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(mul(dy, cast(greaterEqual(a, b), 'float32')), a.shape),
    b: () => sumTo(mul(dy, cast(less(a, b), 'float32')), b.shape),
  }))
  replace('Minimum', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(mul(dy, cast(lessEqual(a, b), 'float32')), a.shape),
    b: () => sumTo(mul(dy, cast(greater(a, b), 'float32')), b.shape),
  }))
  replace('SquaredDifference', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(mul(dy, mul(2, sub(a, b))), a.shape),
    b: () => sumTo(mul(dy, mul(2, sub(b, a))), b.shape),
  }))
  replace<CumsumAttributes>('Cumsum', ['x'], (dy, _, { axis, exclusive, reverse }) => {
    return { x: () => cumsum(dy, axis, exclusive, !reverse) }
  })
  replace<{ axis?: number | number[] }>('Prod', ['x'], (dy, [x], { axis }) => {
    return { x: () => productGradient(dy, x, util.parseAxisParam(axis ?? [...x.shape.keys()], x.shape)) }
  })
  for (const name of ['AvgPool', 'AvgPool3D']) {
    replace<AveragePoolAttributes>(name, ['x'], (dy, [x], attributes) => ({
      x: () => averagePoolGradient(dy, x, attributes),
    }))
  }
  replace<object>('DepthwiseConv2dNative', ['x', 'filter'], (dy, [x, filter], attributes) => {
    const run = (name: string, inputs: NamedTensorMap, shape: object) =>
      engine().runKernel<Tensor>(`DepthwiseConv2dNativeBackprop${name}`, inputs, {
        ...attributes,
        ...shape,
      })
    return {
      x: () => run('Input', { dy, filter }, { inputShape: x.shape }),
      filter: () => run('Filter', { x, dy }, { filterShape: filter.shape }),
    }
  })
  replace<MirrorPadAttributes>('MirrorPad', ['x'], (dy, [x], attributes) => ({
    x: () => mirrorPadGradient(dy, x, attributes),
  }))
  replace<MatMulAttributes>('BatchMatMul', ['a', 'b'], (dy, [a, b], { transposeA, transposeB }) => {
    return {
      a: () =>
        sumTo(transposeA ? product(b, dy, transposeB, true) : product(dy, b, false, !transposeB), a.shape),
      b: () =>
        sumTo(transposeB ? product(dy, a, true, transposeA) : product(a, dy, !transposeA, false), b.shape),
    }
  })
  ours = getGradient('Maximum')
}

interface CumsumAttributes {
  axis: number
  exclusive: boolean
  reverse: boolean
}

interface MatMulAttributes {
  transposeA: boolean
  transposeB: boolean
}

function replace<Attributes = unknown>(
  kernelName: string,
  inputsToSave: string[],
  gradFunc: TypedGradient<Attributes>['gradFunc'],
): void {
  replaceGradient<Attributes>(kernelName, { inputsToSave, gradFunc })
}

/** A matrix product with explicit transposes: XNNPACK's fast path, in the WASM backend, wants none. */
function product(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  return tidy(() => matMul(transposeA ? swapped(a) : a, transposeB ? swapped(b) : b))
}

function swapped(x: Tensor): Tensor {
  const axes = x.shape.map((_, i) => i)
  return transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2])
}

/** Sums over the axes along which a tensor of this shape was broadcast. */
function sumTo(x: Tensor, shape: number[]): Tensor {
  return tidy(() => {
    const extra = x.rank - shape.length
    const axes = x.shape
      .map((_, i) => i)
      .filter((i) => i < extra || (shape[i - extra] === 1 && x.shape[i] !== 1))
    return reshape(axes.length > 0 ? sum(x, axes) : x, shape)
  })
}
