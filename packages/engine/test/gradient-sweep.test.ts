import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { checkGradient } from '@facekit/testing'

const random = createRandom(11)
const normal = (...shape: number[]) => tensor(shape, () => random.normal())
/** Kept away from 0, where many gradients jump. */
const positive = (...shape: number[]) => tensor(shape, () => random.uniform(0.2, 0.9))
function tensor(shape: number[], next: () => number) {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, next)
  return { shape, values }
}
type Values = ReturnType<typeof tensor>
type Op = (...inputs: tf.Tensor[]) => tf.Tensor

const unary = (f: (x: tf.Tensor) => tf.Tensor, input: Values = normal(2, 3, 5)): [Op, Values[]] => [
  f as Op,
  [input],
]
const binary = (f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): [Op, Values[]] => [
  f as Op,
  [positive(2, 3, 4), positive(3, 1)],
]
const as4d = (f: (x: tf.Tensor4D) => tf.Tensor): Op => f as unknown as Op
const indices = () => tf.tensor1d([2, 0, 2, 1], 'int32')

// One entry for each kernel that tfjs can differentiate; `bands` and the like stand for their own kernels.
const cases: Record<string, [Op, Values[]]> = {
  Abs: unary((x) => tf.abs(x)),
  Acos: unary((x) => tf.acos(x), positive(7)),
  Acosh: unary((x) => tf.acosh(tf.add(x, 1)), positive(7)),
  Add: binary((a, b) => tf.add(a, b)),
  AddN: [((a, b, c) => tf.addN([a, b, c])) as Op, [normal(3, 2), normal(3, 2), normal(3, 2)]],
  Asin: unary((x) => tf.asin(x), positive(7)),
  Asinh: unary((x) => tf.asinh(x)),
  Atan2: binary((a, b) => tf.atan2(a, b)),
  Atan: unary((x) => tf.atan(x)),
  Atanh: unary((x) => tf.atanh(x), positive(7)),
  AvgPool3D: [((x) => tf.avgPool3d(x as tf.Tensor5D, 2, 1, 'same')) as Op, [normal(1, 3, 4, 4, 2)]],
  AvgPool: [as4d((x) => tf.avgPool(x, 3, 2, 'same')), [normal(2, 7, 6, 3)]],
  BatchMatMul: [((a, b) => tf.matMul(a, b)) as Op, [normal(2, 3, 4), normal(2, 4, 5)]],
  'BatchMatMul transposed': [
    ((a, b) => tf.matMul(a, b, true, true)) as Op,
    [normal(2, 4, 3), normal(2, 5, 4)],
  ],
  'BatchMatMul broadcast': [((a, b) => tf.matMul(a, b)) as Op, [normal(3, 4), normal(2, 4, 5)]],
  BatchToSpaceND: [
    as4d((x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 1],
        ],
      ),
    ),
    [normal(4, 2, 3, 2)],
  ],
  BroadcastTo: unary((x) => tf.broadcastTo(x, [4, 3, 5]), normal(3, 1)),
  Cast: unary((x) => tf.cast(x, 'float32')),
  Ceil: unary((x) => tf.ceil(x)),
  ClipByValue: unary((x) => tf.clipByValue(x, -0.5, 0.7)),
  Concat: [((a, b) => tf.concat([a, b], 1)) as Op, [normal(2, 3, 4), normal(2, 2, 4)]],
  Conv2D: [
    ((x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, 'same')) as Op,
    [normal(2, 7, 6, 3), normal(3, 3, 3, 4)],
  ],
  'Conv2D of one picture': [
    ((x, f) => tf.conv2d(x as tf.Tensor3D, f as tf.Tensor4D, 1, 'valid')) as Op,
    [normal(7, 6, 3), normal(2, 3, 3, 4)],
  ],
  Conv2DBackpropInput: [
    ((x, f) => tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, [2, 8, 7, 3], 2, 'same')) as Op,
    [normal(2, 4, 4, 5), normal(3, 3, 3, 5)],
  ],
  Conv3D: [
    ((x, f) => tf.conv3d(x as tf.Tensor5D, f as tf.Tensor5D, 1, 'same')) as Op,
    [normal(1, 3, 4, 4, 2), normal(2, 2, 2, 2, 3)],
  ],
  Cos: unary((x) => tf.cos(x)),
  Cosh: unary((x) => tf.cosh(x)),
  Cumsum: unary((x) => tf.cumsum(x, 1)),
  'Cumsum reversed': unary((x) => tf.cumsum(x, 2, true, true)),
  DepthwiseConv2dNative: [
    ((x, f) => tf.depthwiseConv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, 'same')) as Op,
    [normal(2, 7, 6, 3), normal(3, 3, 3, 2)],
  ],
  Dilation2D: [
    ((x, f) => tf.dilation2d(x as tf.Tensor4D, f as tf.Tensor3D, 1, 'same')) as Op,
    [normal(1, 5, 5, 2), normal(2, 2, 2)],
  ],
  Elu: unary((x) => tf.elu(x)),
  Erf: unary((x) => tf.erf(x)),
  Exp: unary((x) => tf.exp(x)),
  ExpandDims: unary((x) => tf.expandDims(x, 1)),
  Expm1: unary((x) => tf.expm1(x)),
  Floor: unary((x) => tf.floor(x)),
  FloorDiv: binary((a, b) => tf.floorDiv(a, b)),
  FusedBatchNorm: [
    ((x, m, v, o, s) =>
      tf.batchNorm(
        x as tf.Tensor4D,
        m as tf.Tensor1D,
        v as tf.Tensor1D,
        o as tf.Tensor1D,
        s as tf.Tensor1D,
      )) as Op,
    [normal(2, 3, 3, 4), normal(4), positive(4), normal(4), normal(4)],
  ],
  FusedConv2D: [
    ((x, filter, bias) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias,
        activation: 'relu',
      })) as Op,
    [normal(1, 5, 6, 3), normal(3, 3, 3, 4), normal(4)],
  ],
  FusedDepthwiseConv2D: [
    ((x, filter, bias) =>
      tf.fused.depthwiseConv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias,
        activation: 'relu6',
      })) as Op,
    [normal(1, 5, 6, 3), normal(3, 3, 3, 1), normal(3)],
  ],
  FusedMatMul: [
    ((a, b, bias) => tf.fused.matMul({ a, b, bias, activation: 'relu' })) as Op,
    [normal(3, 4), normal(4, 5), normal(5)],
  ],
  GatherV2: [((x) => tf.gather(x, indices(), 1)) as Op, [normal(2, 3, 5)]],
  'GatherV2 of rows': [((x) => tf.gather(x, indices())) as Op, [normal(3, 5)]],
  'GatherV2 by batch': [
    ((x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [0, 2],
            [1, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      )) as Op,
    [normal(2, 3, 4)],
  ],
  Identity: unary((x) => tf.clone(x)),
  LRN: [as4d((x) => tf.localResponseNormalization(x, 2)), [normal(1, 3, 3, 6)]],
  LeakyRelu: unary((x) => tf.leakyRelu(x, 0.1)),
  Log1p: unary((x) => tf.log1p(x), positive(7)),
  Log: unary((x) => tf.log(x), positive(7)),
  LogSoftmax: unary((x) => tf.logSoftmax(x)),
  MaxPool3D: [((x) => tf.maxPool3d(x as tf.Tensor5D, 2, 1, 'same')) as Op, [normal(1, 3, 4, 4, 2)]],
  MaxPool: [as4d((x) => tf.maxPool(x, 3, 2, 'same')), [normal(2, 7, 6, 3)]],
  Max: unary((x) => tf.max(x, 1)),
  Maximum: binary((a, b) => tf.maximum(a, b)),
  Mean: unary((x) => tf.mean(x, [0, 2])),
  'Mean of all': unary((x) => tf.mean(x)),
  Min: unary((x) => tf.min(x, -1)),
  Minimum: binary((a, b) => tf.minimum(a, b)),
  MirrorPad: unary((x) =>
    tf.mirrorPad(
      x,
      [
        [0, 0],
        [1, 1],
        [2, 0],
      ],
      'reflect',
    ),
  ),
  Mod: binary((a, b) => tf.mod(a, b)),
  Multiply: binary((a, b) => tf.mul(a, b)),
  Neg: unary((x) => tf.neg(x)),
  Pack: [((a, b) => tf.stack([a, b], 1)) as Op, [normal(2, 3), normal(2, 3)]],
  PadV2: unary((x) =>
    tf.pad(x, [
      [1, 0],
      [0, 2],
      [1, 1],
    ]),
  ),
  Pow: binary((a, b) => tf.pow(a, b)),
  Prelu: [((x, a) => tf.prelu(x, a)) as Op, [normal(2, 3, 4), normal(4)]],
  Prod: unary((x) => tf.prod(x, 1), positive(2, 3, 2)),
  RealDiv: binary((a, b) => tf.div(a, b)),
  Reciprocal: unary((x) => tf.reciprocal(x), positive(7)),
  Relu6: unary((x) => tf.relu6(tf.mul(x, 5))),
  Relu: unary((x) => tf.relu(x)),
  Reshape: unary((x) => tf.reshape(x, [5, 6])),
  ResizeBilinear: [as4d((x) => tf.image.resizeBilinear(x, [7, 5])), [normal(2, 4, 6, 3)]],
  'ResizeBilinear with half pixels': [
    as4d((x) => tf.image.resizeBilinear(x, [7, 5], false, false)),
    [normal(2, 4, 6, 3)],
  ],
  ResizeNearestNeighbor: [as4d((x) => tf.image.resizeNearestNeighbor(x, [7, 5])), [normal(2, 4, 6, 3)]],
  Reverse: unary((x) => tf.reverse(x, [0, 2])),
  'Reverse of an inner axis': unary((x) => tf.reverse(x, 1)),
  Round: unary((x) => tf.round(x)),
  Rsqrt: unary((x) => tf.rsqrt(x), positive(7)),
  Select: [((a, b) => tf.where(tf.greater(a, b), a, tf.mul(b, 2))) as Op, [normal(3, 4), normal(3, 4)]],
  Selu: unary((x) => tf.selu(x)),
  Sigmoid: unary((x) => tf.sigmoid(x)),
  Sign: unary((x) => tf.sign(x)),
  Sin: unary((x) => tf.sin(x)),
  Sinh: unary((x) => tf.sinh(x)),
  Slice: unary((x) => tf.slice(x, [0, 1, 2], [2, 1, 3])),
  Softmax: unary((x) => tf.softmax(x)),
  Softplus: unary((x) => tf.softplus(x)),
  SpaceToBatchND: [
    as4d((x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 1],
        ],
      ),
    ),
    [normal(1, 4, 5, 2)],
  ],
  SplitV: unary((x) => tf.mul(...(tf.split(x, [2, 2], 1) as [tf.Tensor, tf.Tensor])), normal(2, 4, 3)),
  Sqrt: unary((x) => tf.sqrt(x), positive(7)),
  Square: unary((x) => tf.square(x)),
  SquaredDifference: binary((a, b) => tf.squaredDifference(a, b)),
  Step: unary((x) => tf.step(x)),
  Sub: binary((a, b) => tf.sub(a, b)),
  Sum: unary((x) => tf.sum(x, [0, 2])),
  'Sum of all': unary((x) => tf.sum(x)),
  Tan: unary((x) => tf.tan(x), positive(7)),
  Tanh: unary((x) => tf.tanh(x)),
  Tile: unary((x) => tf.tile(x, [2, 1, 3])),
  Transpose: unary((x) => tf.transpose(x, [2, 0, 1])),
  Unpack: unary((x) => tf.mul(...(tf.unstack(x, 1).slice(0, 2) as [tf.Tensor, tf.Tensor]))),
  UnsortedSegmentSum: [((x) => tf.unsortedSegmentSum(x, indices(), 3)) as Op, [normal(4, 3)]],
  norm: unary((x) => tf.norm(x, 'euclidean', 2)),
  logSumExp: unary((x) => tf.logSumExp(x, 1)),
  cross: [
    ((a, b) => tf.tidy(() => tf.sub(tf.mul(a, tf.reverse(b, -1)), tf.mul(b, tf.reverse(a, -1))))) as Op,
    [normal(4, 3), normal(4, 3)],
  ],
  separableConv2d: [
    ((x, d, p) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, 'same')) as Op,
    [normal(1, 5, 5, 2), normal(3, 3, 2, 2), normal(1, 1, 4, 3)],
  ],
  stridedSlice: unary((x) =>
    tf.concat([tf.slice(x, [0, 0, 0], [1, 3, 5]), tf.slice(x, [1, 0, 0], [1, 3, 5])], 2),
  ),
}

/** Value, and gradients of a fixed random projection of it, on one backend. */
async function differentiate(backend: 'cpu' | 'wasm', op: Op, inputs: Values[]): Promise<Float32Array[]> {
  await initEngine({ backend })
  const results = tf.tidy(() => {
    const tensors = inputs.map(({ values, shape }) => tf.tensor(values, shape))
    const value = op(...tensors)
    const weights = tf.cos(tf.reshape(tf.range(0, value.size), value.shape))
    const gradients = tf.grads((...xs) => tf.sum(tf.mul(op(...xs), weights)))(tensors)
    return [value, ...gradients]
  })
  return Promise.all(results.map((result) => result.data() as Promise<Float32Array>))
}

describe('gradients of every differentiable kernel', () => {
  beforeAll(async () => {
    await initEngine({ backend: 'cpu' })
  })

  // Functions with steps: a central difference across a step says nothing.
  const smooth = Object.keys(cases).filter(
    (name) => !/^(Ceil|Floor|FloorDiv|Mod|Round|Sign|Step)$/.test(name),
  )

  it.each(smooth)('gradient: %s on wasm equals central differences', async (name) => {
    await initEngine({ backend: 'wasm' })
    const [op, inputs] = cases[name]
    const tensors = inputs.map(({ values, shape }) => tf.tensor(values, shape))
    await checkGradient(op, tensors, {
      step: 1e-3,
      relativeTolerance: 2e-2,
      absoluteTolerance: 5e-3,
      directions: 2,
    })
    tf.dispose(tensors)
  })

  it.each(Object.keys(cases))('gradient: %s on wasm equals cpu', async (name) => {
    const [op, inputs] = cases[name]
    const expected = await differentiate('cpu', op, inputs)
    const actual = await differentiate('wasm', op, inputs)
    expect(actual.length).toBe(expected.length)
    for (const [i, values] of expected.entries()) {
      const scale = Math.max(1, ...values.map(Math.abs))
      expect(actual[i].length).toBe(values.length)
      values.forEach((value, k) => expect(Math.abs(actual[i][k] - value) / scale).toBeLessThan(2e-5))
    }
  })
})
