import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, type Random } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { expectNoLeak } from '@facekit/testing'

type Pad = 'same' | 'valid' | tf.backend_util.ExplicitPadding
type Make = (random: Random) => () => tf.Tensor[]

const normals = (random: Random, shape: number[]) => {
  const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal())
  return () => tf.tensor<tf.Rank.R4>(values, shape as [number, number, number, number])
}

/** Gradients of a random convolution: odd channel counts, strides that leave pixels unseen, every padding. */
const convolution: Make = (random) => {
  const filterSize = [1 + random.integer(4), 1 + random.integer(4)]
  const [height, width] = filterSize.map((size) => size + random.integer(9))
  const [inputs, outputs] = [1 + random.integer(6), 1 + random.integer(7)]
  const strides: [number, number] = [1 + random.integer(3), 1 + random.integer(3)]
  // Not a number: tfjs then takes the height's filter and stride for the width, too.
  const edges = () => [random.integer(4), random.integer(4)] as [number, number]
  const pads: Pad[] = ['same', 'valid', [[0, 0], edges(), edges(), [0, 0]]]
  const pad = pads[random.integer(3)]
  const x = normals(random, [1 + random.integer(3), height, width, inputs])
  const filter = normals(random, [...filterSize, inputs, outputs])
  return () => gradients((a, b) => tf.conv2d(a, b, strides, pad), x(), filter())
}

/** Value and gradients of a convolution with more channels than are summed at once, and more pixels than a block has. */
const wideConvolution: Make = (random) => {
  const [inputs, outputs] = [[8, 12, 515, 30, 33][random.integer(5)], [8, 9, 16, 21][random.integer(4)]]
  const size = 1 + random.integer(2)
  const side = () => size + random.integer(inputs > 100 ? 4 : 24)
  const x = normals(random, [1 + random.integer(3), side(), side(), inputs])
  const filter = normals(random, [size, 2, inputs, outputs])
  const strides = 1 + random.integer(2)
  return () => {
    const [a, b] = [x(), filter()]
    const bias = tf.cos(tf.range(0, outputs)) as tf.Tensor1D
    const fused = (activation: 'relu' | 'linear' | 'relu6' | 'sigmoid') =>
      tf.fused.conv2d({ x: a, filter: b, strides, pad: 'same', bias, activation })
    return [
      ...gradients((a, b) => tf.conv2d(a, b, strides, 'same'), a, b),
      tf.conv2d(a, b, 1, 'same', 'NHWC', 2),
      fused('relu'),
      fused('linear'),
      fused('relu6'),
      fused('sigmoid'),
      tf.fused.conv2d({ x: a, filter: b, strides, pad: 'same' }),
    ]
  }
}

/** Gradients of a random depthwise convolution: multipliers, strides or dilations. */
const depthwise: Make = (random) => {
  const filterSize = [1 + random.integer(3), 1 + random.integer(3)]
  const dilated = random.integer(2) === 1
  const [height, width] = filterSize.map((size) => 3 * size + random.integer(6))
  const inputs = 1 + random.integer(4)
  const steps: [number, number] = [1 + random.integer(3), 1 + random.integer(3)]
  const pad = (['same', 'valid'] as const)[random.integer(2)]
  const x = normals(random, [1 + random.integer(2), height, width, inputs])
  const filter = normals(random, [...filterSize, inputs, 1 + random.integer(3)])
  return () => {
    const [strides, dilations] = dilated ? [1, steps] : [steps, 1]
    return gradients(
      (a, b) => tf.depthwiseConv2d(a, b, strides as 1, pad, 'NHWC', dilations as 1),
      x(),
      filter(),
    )
  }
}

function gradients(
  f: (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor,
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
): tf.Tensor[] {
  const scalar = (a: tf.Tensor, b: tf.Tensor) => {
    const y = f(a as tf.Tensor4D, b as tf.Tensor4D)
    return tf.sum(tf.mul(y, tf.cos(tf.reshape(tf.range(0, y.size), y.shape))))
  }
  return tf.grads(scalar)([x, filter])
}

const reversal: Make = (random) => {
  const shape = Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(4))
  const axes = shape.flatMap((_, axis) => (random.integer(2) ? [axis] : []))
  const x = normals(random, shape)
  return () => [
    tf.reverse(x(), axes),
    tf.reverse(tf.cast(x(), 'int32'), axes),
    tf.reverse(tf.greater(x(), 0), axes),
  ]
}

const tiling: Make = (random) => {
  const shape = Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(4))
  const repetitions = shape.map(() => 1 + random.integer(3))
  const x = normals(random, shape)
  return () => [tf.tile(x(), repetitions), tf.tile(tf.greater(x(), 0), repetitions)]
}

const segments: Make = (random) => {
  const rows = random.integer(12)
  const x = normals(random, [rows, 1 + random.integer(4), 1 + random.integer(3)])
  const count = 1 + random.integer(5)
  const ids = Array.from({ length: rows }, () => random.integer(count + 2) - 1)
  // Numbers outside of the range, below or above, are dropped.
  return () => [tf.unsortedSegmentSum(x(), tf.tensor1d(ids, 'int32'), count)]
}

const equations = [
  'ij,jk->ik',
  'ij->ji',
  'ij->ij',
  'bij,bjk->bik',
  'ij,j->i',
  'ij->',
  'i,j->ij',
  'bij,bik->bjk',
] as const
const contraction: Make = (random) => {
  const equation = equations[random.integer(equations.length)]
  const sizes: Record<string, number> = { b: 2, i: 3, j: 4, k: 5 }
  const operands = equation
    .split('->')[0]
    .split(',')
    .map((letters) =>
      normals(
        random,
        [...letters].map((letter) => sizes[letter]),
      ),
    )
  return () => [tf.einsum(equation, ...operands.map((operand) => operand()))]
}

/** Pooling of a few to many channels, windows that reach over the border. */
const pooling: Make = (random) => {
  const size: [number, number] = [1 + random.integer(4), 1 + random.integer(4)]
  const strides: [number, number] = [1 + random.integer(3), 1 + random.integer(3)]
  const [height, width] = size.map((size) => size + random.integer(7))
  const pad = random.integer(2) === 0 ? 'same' : 'valid'
  const channels = [1, 3, 4, 7, 16, 18, 37][random.integer(7)]
  const x = normals(random, [1 + random.integer(2), height, width, channels])
  return () => [tf.maxPool(x(), size, strides, pad), tf.avgPool(x(), size, strides, pad)]
}

/** The larger and the smaller of numbers whose axes are broadcast, one way or the other. */
const extrema: Make = (random) => {
  const shape = Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(6))
  const part = () => shape.map((size) => (random.integer(3) === 0 ? 1 : size)).slice(random.integer(2))
  const [a, b] = [normals(random, part()), normals(random, part())]
  return () => [tf.maximum(a(), b()), tf.minimum(a(), b())]
}

/** Sums and means over any axes. */
const sums: Make = (random) => {
  const shape = Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(9))
  const axes = [...shape.keys()].filter(() => random.integer(2) === 0)
  const x = normals(random, shape)
  return () => [tf.sum(x(), axes), tf.mean(x(), axes, true)]
}

const makers = {
  convolution,
  wideConvolution,
  depthwise,
  pooling,
  reversal,
  tiling,
  segments,
  contraction,
  extrema,
  sums,
}

async function run(backend: 'cpu' | 'wasm', f: () => tf.Tensor[]) {
  await initEngine({ backend })
  const results = tf.tidy(f)
  const data = await Promise.all(results.map((result) => result.data() as Promise<Float32Array>))
  const shapes = results.map(({ shape }) => shape)
  tf.dispose(results)
  return { data, shapes }
}

describe('kernels of the WASM backend', () => {
  it.each(Object.keys(makers) as (keyof typeof makers)[])(
    'value: random cases of %s equal cpu',
    async (name) => {
      const cases = name === 'wideConvolution' ? 15 : 60
      for (let seed = 0; seed < cases; seed++) {
        const f = makers[name](createRandom(1000 + seed * 77))
        const expected = await run('cpu', f)
        const actual = await run('wasm', f)
        expect(actual.shapes).toEqual(expected.shapes)
        for (const [i, values] of expected.data.entries()) {
          const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
          const worst = values.reduce(
            (worst, value, k) => Math.max(worst, Math.abs(value - actual.data[i][k])),
            0,
          )
          expect(worst / scale, `seed ${seed}, result ${i}`).toBeLessThan(2e-5)
        }
      }
    },
  )

  describe('in a loop', () => {
    beforeAll(async () => {
      await initEngine({ backend: 'wasm' })
    })
    afterAll(async () => {
      await initEngine({ backend: 'cpu' })
    })

    it('memory: gradients leave no tensors, and nothing in the backend once the filter is gone', async () => {
      const backend = tf.backend() as unknown as { numDataIds(): number }
      const step = () => tf.tidy(() => convolution(createRandom(5))().length)
      await expectNoLeak(step)
      const before = backend.numDataIds()
      for (let i = 0; i < 5; i++) step()
      expect(backend.numDataIds()).toBe(before)
    })

    it('value: a variable that is assigned anew gets the gradient of its new value', async () => {
      const filter = tf.variable(tf.ones<tf.Rank.R4>([1, 1, 1, 1]))
      const gradient = () =>
        tf.grad((x) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'))(tf.ones([1, 2, 2, 1]))
      expect(await gradient().data()).toEqual(new Float32Array(4).fill(1))
      filter.assign(tf.tensor4d([3], [1, 1, 1, 1]))
      expect(await gradient().data()).toEqual(new Float32Array(4).fill(3))
      filter.dispose()
    })

    it('value: filter gradients of a batch too large to be unfolded at once', async () => {
      const shape = [6, 160, 160, 16]
      const gradient = tf.tidy(() => {
        const x = tf.ones<tf.Rank.R4>(shape as [number, number, number, number])
        return tf.grad((w) => tf.sum(tf.conv2d(x, w as tf.Tensor4D, 1, 'valid')))(tf.ones([3, 3, 16, 2]))
      })
      expect(new Set(await gradient.data())).toEqual(new Set([6 * 158 * 158]))
      gradient.dispose()
    })
  })
})
