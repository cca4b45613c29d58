import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assertHealthy, batchNormalization, clipByGlobalNorm, initEngine } from '@facekit/engine'
import { hasWebgpu, testBackends, useBackend } from '@facekit/testing'

/* A NaN must stay one: a kernel that makes it a number lets a training go on with ruined weights. */

const webgpu = await hasWebgpu()
const backends = [...testBackends, ...(webgpu ? ['webgpu'] : [])]

/** Pictures `[2, H, W, 8]`: small ones, which stock kernels of the GPU take, and larger ones, which are ours. */
const sizes: [number, number][] = [
  [6, 8],
  [48, 32],
]

/** Pictures of numbers other than 0, one of them NaN. */
function pictures([height, width]: [number, number]): tf.Tensor4D {
  const values = Float32Array.from({ length: 2 * height * width * 8 }, (_, i) => ((i % 7) - 3.5) / 2)
  // Second picture, third row, fourth column, sixth channel.
  values[((height + 2) * width + 3) * 8 + 5] = Number.NaN
  return tf.tensor4d(values, [2, height, width, 8])
}

type Case = (x: tf.Tensor4D) => tf.Tensor

/** The gradient of a function of pictures or filters, at `x`, from that of its result. */
const gradient = (f: (x: tf.Tensor4D) => tf.Tensor, x: tf.Tensor, dy?: tf.Tensor) =>
  tf.grad((y) => f(y as tf.Tensor4D))(x, dy)
/** Ones but for one NaN. */
const withNaN = (shape: number[]) => {
  const values = new Float32Array(tf.util.sizeFromShape(shape)).fill(1)
  values[5] = Number.NaN
  return tf.tensor(values, shape)
}

const padding: [number, number][] = [
  [0, 0],
  [1, 1],
  [1, 1],
  [0, 0],
]
const normalize: Case = (x) => tf.batchNorm(x, tf.zeros([8]), tf.ones([8]), tf.zeros([8]), tf.ones([8]))

/** Kernels whose result has a NaN where their input has it, and nowhere else. */
const keeping: Record<string, Case> = {
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(x),
  elu: (x) => tf.elu(x),
  selu: (x) => tf.selu(x),
  sigmoid: (x) => tf.sigmoid(x),
  softplus: (x) => tf.softplus(x),
  tanh: (x) => tf.tanh(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  prelu: (x) => tf.prelu(x as tf.Tensor, tf.fill([8], 0.3)),
  step: (x) => tf.step(x),
  abs: (x) => tf.abs(x),
  neg: (x) => tf.neg(x),
  exp: (x) => tf.exp(x),
  square: (x) => tf.square(x),
  'sqrt of squares': (x) => tf.sqrt(tf.square(x)),
  'rsqrt of squares': (x) => tf.rsqrt(tf.square(x)),
  reciprocal: (x) => tf.reciprocal(x),
  sin: (x) => tf.sin(x),
  cos: (x) => tf.cos(x),
  clipByValue: (x) => tf.clipByValue(x, -1, 1),
  'maximum with a number': (x) => tf.maximum(x, 0),
  'maximum of a number': (x) => tf.maximum(0, x),
  'minimum with a number': (x) => tf.minimum(x, 0),
  'minimum of a number': (x) => tf.minimum(0, x),
  'maximum of tensors': (x) => tf.maximum(tf.zerosLike(x), x),
  'minimum of tensors': (x) => tf.minimum(tf.zerosLike(x), x),
  batchNorm: (x) => normalize(x),
  concat: (x) => tf.concat([tf.zerosLike(x), x], 1),
  pad: (x) => tf.mirrorPad(tf.pad(x, padding), padding, 'reflect'),
  slice: (x) => tf.slice(x, [1, 0, 0, 0], [1, x.shape[1], x.shape[2], 8]),
  reverse: (x) => tf.reverse(x, [1, 2]),
  sum: (x) => tf.sum(x),
  'sum of rows': (x) => tf.sum(x, [0, 1, 2]),
  'sum of columns': (x) => tf.sum(x, 3),
  mean: (x) => tf.mean(x),
  'mean of rows': (x) => tf.mean(x, [0, 1, 2]),
  'mean of columns': (x) => tf.mean(x, 3),
  prod: (x) => tf.prod(x, 3),
  max: (x) => tf.max(x),
  'max of columns': (x) => tf.max(x, 3),
  'max of rows': (x) => tf.max(x, [0, 1, 2]),
  min: (x) => tf.min(x),
  'min of columns': (x) => tf.min(x, 3),
  'min of rows': (x) => tf.min(x, [0, 1, 2]),
  maxPool: (x) => tf.maxPool(x, 2, 2, 'valid'),
  avgPool: (x) => tf.avgPool(x, 2, 2, 'valid'),
  'gradient of relu': (x) => gradient(tf.relu, x),
  'gradient of relu6': (x) => gradient(tf.relu6, x),
  'gradient of sigmoid': (x) => gradient(tf.sigmoid, x),
  'gradient of tanh': (x) => gradient(tf.tanh, x),
  'gradient through relu': (x) => gradient(tf.relu, tf.onesLike(x), x),
  'gradient through maxPool': (x) =>
    gradient(
      (y) => tf.maxPool(y, 2, 2, 'valid'),
      tf.onesLike(x),
      withNaN(tf.maxPool(x, 2, 2, 'valid').shape),
    ),
  'gradient through tf.batchNorm': (x) => gradient(normalize, tf.onesLike(x), x),
}

const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const

/** Kernels that spread a NaN over so many numbers at least; a fast algorithm may reach further. */
const spreading: Record<string, [atLeast: number, run: Case]> = {
  'gradient of avgPool': [
    4,
    (x) =>
      gradient(
        (y) => tf.avgPool(y, 2, 2, 'valid'),
        tf.onesLike(x),
        withNaN(tf.avgPool(x, 2, 2, 'valid').shape),
      ),
  ],
  'gradient of maxPool at a NaN': [
    1,
    (x) => gradient((y) => tf.mul(tf.maxPool(y, 2, 2, 'valid'), tf.maxPool(x, 2, 2, 'valid')), x),
  ],
  'gradient of conv2d in its input': [
    72,
    (x) => gradient((y) => tf.conv2d(y, tf.fill([3, 3, 8, 8], 0.1), 1, 'same'), tf.onesLike(x), x),
  ],
  'gradient of conv2d in its filter': [
    36,
    (x) => gradient((filter) => tf.conv2d(x, filter, 1, 'same'), tf.fill([3, 3, 8, 4], 0.1)),
  ],
  'gradient of a depthwise filter': [
    9,
    (x) => gradient((filter) => tf.depthwiseConv2d(x, filter, 1, 'same'), tf.fill([3, 3, 8, 1], 0.1)),
  ],
  'gradient of a sum': [8, (x) => gradient((y) => tf.sum(y, 3), tf.onesLike(x), tf.sum(x, 3))],
  'gradient of a resize': [
    1,
    (x) => gradient((y) => tf.image.resizeBilinear(y, [x.shape[1], x.shape[2]]), tf.onesLike(x), x),
  ],
  'norm of clipByGlobalNorm': [1, (x) => clipByGlobalNorm([x], 1).norm],
  'other gradients of clipByGlobalNorm': [8, (x) => clipByGlobalNorm([x, tf.ones([8])], 1).gradients[1]],
  'segment sums': [1, (x) => tf.unsortedSegmentSum(x, tf.tensor1d([0, 0], 'int32'), 1)],
  einsum: [1, (x) => tf.einsum('bhwc->bc', x)],
  'image.transform': [
    1,
    (x) => tf.image.transform(x, tf.tensor2d([1, 0, 0.5, 0, 1, 0.5, 0, 0], [1, 8]), 'bilinear', 'nearest'),
  ],
}
for (const activation of activations) {
  const bias = (size: number) => tf.fill([size], 0.1) as tf.Tensor1D
  const finish = (size: number) => ({
    bias: bias(size),
    activation,
    ...(activation === 'prelu' && { preluActivationWeights: tf.fill([size], 0.3) }),
  })
  spreading[`fused.conv2d, ${activation}`] = [
    36,
    (x) => tf.fused.conv2d({ x, filter: tf.fill([3, 3, 8, 4], 0.1), strides: 1, pad: 'same', ...finish(4) }),
  ]
  spreading[`fused.matMul, ${activation}`] = [
    4,
    (x) => tf.fused.matMul({ a: tf.reshape(x, [-1, 8]), b: tf.fill([8, 4], 0.1), ...finish(4) }),
  ]
  spreading[`fused.depthwiseConv2d, ${activation}`] = [
    9,
    (x) =>
      tf.fused.depthwiseConv2d({
        x,
        filter: tf.fill([3, 3, 8, 1], 0.1),
        strides: 1,
        pad: 'same',
        ...finish(8),
      }),
  ]
}
for (const activation of [undefined, 'relu'] as const) {
  for (const added of [false, true]) {
    const run: Case = (x) =>
      batchNormalization(x, tf.ones([8]), tf.zeros([8]), {
        activation,
        ...(added && { residual: tf.onesLike(x) }),
      }).output
    const name = `batchNormalization, ${activation ?? 'linear'}${added ? ', residual' : ''}`
    // A whole channel.
    spreading[name] = [96, run]
    spreading[`gradient of ${name}`] = [96, (x) => gradient(run, x)]
  }
}

describe.each(backends)('NaN on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  afterAll(() => initEngine({ backend: 'cpu' }))

  const countNaN = async (run: Case, size: [number, number]) => {
    const result = tf.tidy(() => run(pictures(size)))
    const values = await result.data()
    result.dispose()
    return values.filter((value) => Number.isNaN(value)).length
  }

  it.each(Object.entries(keeping))('value: %s keeps it, and makes no other', async (_, run) => {
    for (const size of sizes) expect(await countNaN(run, size)).toBe(1)
    await assertHealthy()
  })

  it.each(Object.entries(spreading))('value: %s lets it through', async (_, [least, run]) => {
    for (const size of sizes) expect(await countNaN(run, size)).toBeGreaterThanOrEqual(least)
    await assertHealthy()
  })

  it('value: without a NaN there is none', async () => {
    for (const run of [...Object.values(keeping), ...Object.values(spreading).map(([, run]) => run)].slice(
      0,
      12,
    )) {
      const result = tf.tidy(() => run(tf.ones([2, 6, 8, 8])))
      expect((await result.data()).some((value) => Number.isNaN(value))).toBe(false)
      result.dispose()
    }
  })
})
