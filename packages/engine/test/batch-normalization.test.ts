import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import {
  assertHealthy,
  batchNormalization,
  recordStep,
  type BatchNormalizationOptions,
} from '@facekit/engine'
import { checkGradient, expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'

const webgpu = await hasWebgpu()
const random = createRandom(5)
const normals = (size: number, mean = 0, deviation = 1) =>
  Float32Array.from({ length: size }, () => random.normal(mean, deviation))

interface Data {
  shape: number[]
  x: Float32Array
  scale: Float32Array
  offset: Float32Array
  residual: Float32Array
  dy: Float32Array
}

function makeData(shape: number[], mean = 0, deviation = 1): Data {
  const channels = shape[shape.length - 1]
  const size = tf.util.sizeFromShape(shape)
  return {
    shape,
    x: normals(size, mean, deviation),
    scale: normals(channels, 1, 0.3),
    offset: normals(channels),
    residual: normals(size),
    dy: normals(size),
  }
}

/** Forward and backward in float64. */
function reference(
  { shape, x, scale, offset, residual, dy }: Data,
  { epsilon = 1e-3, added = false, relu = false },
) {
  const channels = shape[shape.length - 1]
  const rows = x.length / channels
  const mean = new Float64Array(channels)
  const variance = new Float64Array(channels)
  x.forEach((value, i) => (mean[i % channels] += value / rows))
  x.forEach((value, i) => (variance[i % channels] += (value - mean[i % channels]) ** 2 / rows))
  const rate = Float64Array.from(variance, (v) => 1 / Math.sqrt(v + epsilon))
  const normal = Float64Array.from(x, (value, i) => (value - mean[i % channels]) * rate[i % channels])
  const sum = Float64Array.from(
    normal,
    (value, i) => value * scale[i % channels] + offset[i % channels] + (added ? residual[i] : 0),
  )
  const output = relu ? sum.map((value) => Math.max(0, value)) : sum
  const dz = Float64Array.from(dy, (value, i) => (relu && sum[i] <= 0 ? 0 : value))
  const dScale = new Float64Array(channels)
  const dOffset = new Float64Array(channels)
  dz.forEach((value, i) => {
    dScale[i % channels] += value * normal[i]
    dOffset[i % channels] += value
  })
  const dx = dz.map((value, i) => {
    const c = i % channels
    return scale[c] * rate[c] * (value - dOffset[c] / rows - (normal[i] * dScale[c]) / rows)
  })
  return { output, mean, variance, dx, dScale, dOffset, dz }
}

async function expectClose(actual: tf.Tensor, expected: Float64Array, tolerance: number, what: string) {
  const values = await actual.data()
  expect(values.length).toBe(expected.length)
  let largest = 1e-30
  for (const value of expected) largest = Math.max(largest, Math.abs(value))
  let worst = 0
  for (let i = 0; i < values.length; i++) {
    const difference = Math.abs(values[i] - expected[i])
    worst = Math.max(worst, Number.isNaN(difference) ? Infinity : difference)
  }
  expect({ what, close: worst / largest < tolerance, by: worst / largest }).toMatchObject({ close: true })
}

const shapes = [
  [2, 5, 4, 3],
  [3, 7, 5, 8],
  [1, 1, 1, 5],
  [40, 1],
  [3000, 4],
  [9, 260],
  [2, 3, 2, 3, 6],
]
const variants = [false, true].flatMap((added) => [false, true].map((relu) => ({ added, relu })))

describe.each([...testBackends, 'device', ...(webgpu ? ['webgpu'] : [])])(
  'batchNormalization on %s',
  (backend) => {
    beforeAll(() => useBackend(backend))

    const run = (data: Data, { added, relu }: { added: boolean; relu: boolean }, epsilon?: number) => {
      const [x, residual, dy] = [data.x, data.residual, data.dy].map((values) =>
        tf.tensor(values, data.shape),
      )
      const options = (residual: tf.Tensor): BatchNormalizationOptions => ({
        ...(epsilon !== undefined && { epsilon }),
        ...(added && { residual }),
        ...(relu && { activation: 'relu' }),
      })
      const [scale, offset] = [tf.tensor1d(data.scale), tf.tensor1d(data.offset)]
      const result = batchNormalization(x, scale, offset, options(residual))
      const gradients = tf.grads(
        (x, scale, offset, residual) =>
          batchNormalization(x, scale as tf.Tensor1D, offset as tf.Tensor1D, options(residual)).output,
      )
      const inputs = added ? [x, scale, offset, residual] : [x, scale, offset]
      return { ...result, gradients: gradients(inputs, dy) }
    }

    for (const shape of shapes) {
      it(`value: [${shape.join(', ')}] and its gradients, all variants`, async () => {
        for (const variant of variants) {
          const data = makeData(shape)
          const expected = reference(data, variant)
          const { output, mean, variance, gradients } = run(data, variant)
          expect(output.shape).toEqual(shape)
          expect(mean.shape).toEqual(shape.slice(-1))
          await expectClose(output, expected.output, 2e-6, 'output')
          await expectClose(mean, expected.mean, 2e-6, 'mean')
          await expectClose(variance, expected.variance, 2e-6, 'variance')
          await expectClose(gradients[0], expected.dx, shape[0] === 1 ? Infinity : 5e-6, 'x')
          await expectClose(gradients[1], expected.dScale, shape[0] === 1 ? Infinity : 5e-6, 'scale')
          await expectClose(gradients[2], expected.dOffset, 5e-6, 'offset')
          if (variant.added) await expectClose(gradients[3], expected.dz, 1e-6, 'residual')
        }
        await assertHealthy()
      })
    }

    it('value: a large mean, an outlier in front and a constant channel cost no digits', async () => {
      const data = makeData([2500, 4], 3000, 0.5)
      data.x[0] = -1e4
      for (let i = 1; i < data.x.length; i += 4) data.x[i] = 7.3
      const expected = reference(data, {})
      const { output, mean, variance } = run(data, { added: false, relu: false }, 1e-5)
      await expectClose(mean, expected.mean, 2e-7, 'mean')
      const [actual] = [await variance.data()]
      // Composed operations know a mean of 3000 to 1e-4 only.
      const own = backend !== 'device'
      for (const c of [0, 2, 3]) {
        expect(Math.abs(actual[c] / expected.variance[c] - 1)).toBeLessThan(own && c > 0 ? 1e-4 : 2e-3)
      }
      expect(actual[1]).toBeLessThan(own ? 1e-9 : 1e-5)
      const values = await output.data()
      expect(Math.abs(values[5] - data.offset[1])).toBeLessThan(own ? 5e-3 : 1)
    })

    it('value: moving averages, in place or not, of cloned variables too', async () => {
      const data = makeData([50, 3], 2)
      const expected = reference(data, {})
      const moving = {
        mean: tf.variable(tf.tensor1d([1, 2, 3]), false),
        variance: tf.variable(tf.ones([3]), false),
        momentum: 0.9,
      }
      const before = tf.clone(moving.mean)
      const step = () =>
        tf.tidy(() => {
          batchNormalization(
            tf.tensor(data.x, data.shape),
            tf.tensor1d(data.scale),
            tf.tensor1d(data.offset),
            {
              moving,
            },
          )
        })
      step()
      step()
      const [mean, variance] = [await moving.mean.data(), await moving.variance.data()]
      for (let c = 0; c < 3; c++) {
        expect(mean[c]).toBeCloseTo((c + 1) * 0.81 + expected.mean[c] * 0.19, 5)
        expect(variance[c]).toBeCloseTo(0.81 + expected.variance[c] * 0.19, 5)
      }
      expect([...(await before.data())]).toEqual([1, 2, 3])
      tf.dispose([before, moving.mean, moving.variance])
    })

    it('value: moving averages in a step that is recorded and replayed', async () => {
      const data = makeData([50, 3], 2)
      const expected = reference(data, {})
      const moving = {
        mean: tf.variable(tf.zeros([3]), false),
        variance: tf.variable(tf.ones([3]), false),
        momentum: 0.5,
      }
      const [x, scale, offset] = [
        tf.tensor2d(data.x, [50, 3]),
        tf.tensor1d(data.scale),
        tf.tensor1d(data.offset),
      ]
      const step = recordStep((x: tf.Tensor2D) => batchNormalization(x, scale, offset, { moving }).output)
      for (let i = 0; i < 6; i++) step(x).dispose()
      const actual = await moving.mean.data()
      for (let c = 0; c < 3; c++) expect(actual[c]).toBeCloseTo(expected.mean[c] * (1 - 0.5 ** 6), 5)
      step.dispose()
      tf.dispose([x, scale, offset, moving.mean, moving.variance])
    })

    it('gradient: central differences', async () => {
      const data = makeData([3, 2, 4, 5])
      const inputs = [
        tf.tensor(data.x, data.shape),
        tf.tensor1d(data.scale),
        tf.tensor1d(data.offset),
        tf.tensor(data.residual, data.shape),
      ]
      await checkGradient(
        (x, scale, offset, residual) =>
          batchNormalization(x, scale as tf.Tensor1D, offset as tf.Tensor1D, { residual }).output,
        inputs,
      )
      // Far from 0, where the activation bends.
      const lifted = tf.add(inputs[3], tf.mul(tf.sign(inputs[3]), 4))
      await checkGradient(
        (x, scale, offset, residual) =>
          batchNormalization(x, scale as tf.Tensor1D, offset as tf.Tensor1D, { residual, activation: 'relu' })
            .output,
        [...inputs.slice(0, 3), lifted],
        { step: 3e-3 },
      )
    })

    it('memory: leaves nothing behind; an empty batch works', async () => {
      const data = makeData([4, 3, 8])
      await expectNoLeak(() =>
        tf.tidy(() => {
          const { gradients } = run(data, { added: true, relu: true })
          return gradients.length
        }),
      )
      const empty = batchNormalization(tf.zeros([0, 4]), tf.ones([4]), tf.zeros([4]))
      expect(empty.output.shape).toEqual([0, 4])
    })

    it('throws: shapes, types, options', () => {
      const [x, one] = [tf.zeros([2, 4]), tf.ones<tf.Rank.R1>([4])]
      expect(() => batchNormalization(x, tf.ones([3]), one)).toThrow(ShapeError)
      expect(() => batchNormalization(x, one, one, { residual: tf.zeros([4, 2]) })).toThrow(ShapeError)
      expect(() => batchNormalization(tf.zeros([2, 4], 'int32'), one, one)).toThrow(ShapeError)
      expect(() => batchNormalization(x, one, one, { epsilon: -1 })).toThrow(ValueError)
      expect(() => batchNormalization(x, one, one, { activation: 'elu' as 'relu' })).toThrow(ValueError)
    })
  },
)
