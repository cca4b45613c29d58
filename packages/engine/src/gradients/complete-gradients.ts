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
  registerGradient,
  reshape,
  sub,
  sum,
  tidy,
  transpose,
  unregisterGradient,
  util,
  zerosLike,
  type GradConfig,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core'

/** Comparisons are constant almost everywhere; tfjs throws where one of them lies on the way back. */
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
    replaceGradient(name, ['a', 'b'], (_, [a, b]) => ({ a: () => zerosLike(a), b: () => zerosLike(b) }))
  }
  replaceGradient('LogicalNot', ['x'], (_, [x]) => ({ x: () => zerosLike(x) }))
  // Where both are equal the first one gets the gradient, once.
  replaceGradient('Maximum', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(mul(dy, cast(greaterEqual(a, b), 'float32')), a.shape),
    b: () => sumTo(mul(dy, cast(less(a, b), 'float32')), b.shape),
  }))
  replaceGradient('Minimum', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(mul(dy, cast(lessEqual(a, b), 'float32')), a.shape),
    b: () => sumTo(mul(dy, cast(greater(a, b), 'float32')), b.shape),
  }))
  replaceGradient('SquaredDifference', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(mul(dy, mul(2, sub(a, b))), a.shape),
    b: () => sumTo(mul(dy, mul(2, sub(b, a))), b.shape),
  }))
  replaceGradient('Cumsum', ['x'], (dy, _, attributes) => {
    const { axis, exclusive, reverse } = attributes as unknown as CumsumAttributes
    return { x: () => cumsum(dy, axis, exclusive, !reverse) }
  })
  replaceGradient('Prod', ['x'], (dy, [x], attributes) => {
    const { axis } = attributes as unknown as { axis: number | number[] }
    return { x: () => productGradient(dy, x, util.parseAxisParam(axis ?? null, x.shape)) }
  })
  for (const name of ['AvgPool', 'AvgPool3D']) {
    replaceGradient(name, ['x'], (dy, [x], attributes) => ({
      x: () => averagePoolGradient(dy, x, attributes as unknown as AveragePoolAttributes),
    }))
  }
  replaceGradient('DepthwiseConv2dNative', ['x', 'filter'], (dy, [x, filter], attributes) => {
    const run = (name: string, inputs: NamedTensorMap, shape: NamedAttrMap) =>
      engine().runKernel<Tensor>(`DepthwiseConv2dNativeBackprop${name}`, inputs, {
        ...(attributes as NamedAttrMap),
        ...shape,
      })
    return {
      x: () => run('Input', { dy, filter }, { inputShape: x.shape }),
      filter: () => run('Filter', { x, dy }, { filterShape: filter.shape }),
    }
  })
  replaceGradient('MirrorPad', ['x'], (dy, [x], attributes) => ({
    x: () => mirrorPadGradient(dy, x, attributes as unknown as MirrorPadAttributes),
  }))
  replaceGradient('BatchMatMul', ['a', 'b'], (dy, [a, b], attributes) => {
    const { transposeA, transposeB } = attributes as unknown as MatMulAttributes
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

type GradientFunction = (
  dy: Tensor,
  saved: Tensor[],
  attributes: Parameters<GradConfig['gradFunc']>[2],
) => Record<string, () => Tensor>

function replaceGradient(kernelName: string, inputsToSave: string[], gradient: GradientFunction): void {
  try {
    unregisterGradient(kernelName)
  } catch {
    // There was none.
  }
  registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (dy, saved, attributes) => gradient(dy as Tensor, saved, attributes),
  })
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
