import { createDenseNetwork, type DensePrediction } from '@facekit/annotate'
import {
  createDenseBatches,
  cutDenseCrops,
  denseLandmarkLoss,
  drawDenseCrops,
  type DenseRenderings,
} from '@facekit/annotate-training'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { checkGradient, testBackends, useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const N = 70

const tensor = <R extends tf.Rank>(shape: number[], seed: number, scale = 1, mean = 0) => {
  const random = createRandom(seed)
  const count = shape.reduce((product, length) => product * length, 1)
  return tf.tensor(
    Array.from({ length: count }, () => random.normal(mean, scale)),
    shape as [number],
  ) as tf.Tensor as tf.Tensor<R>
}

/** A face of dots, one at each of its points: eyes above lips. */
function dots(count: number, size: number) {
  const pixels = new Float32Array(count * size * size * 3).fill(0.2)
  const points = new Float32Array(count * N * 3)
  for (let b = 0; b < count; b++) {
    for (let k = 0; k < N; k++) {
      const [x, y] = [
        Math.round(0.3 * size + (k % 12) * 0.035 * size),
        Math.round((k >= 36 && k < 48 ? 0.35 : k >= 48 && k < 60 ? 0.65 : 0.42 + (k % 5) * 0.04) * size),
      ]
      points.set([x + 0.5, y + 0.5, (k % 3) * 2 - 2], (b * N + k) * 3)
      pixels.fill(1, ((b * size + y) * size + x) * 3, ((b * size + y) * size + x + 1) * 3)
    }
  }
  return { image: tf.tensor4d(pixels, [count, size, size, 3]), points: tf.tensor3d(points, [count, N, 3]) }
}

function renderings(batch: number, size: number): DenseRenderings {
  let picture = 0
  return {
    next() {
      const { image, points } = dots(batch, size)
      const shade = tf.tidy(() => tf.mul(image, 1 - 0.1 * (picture % 5)))
      picture += batch
      image.dispose()
      return {
        image: shade as tf.Tensor4D,
        landmarks: tf.tidy(() => tf.slice(points, [0, 0, 0], [-1, 68, 2])),
        denseLandmarks: points,
        denseVisibility: tf.ones([batch, N]),
        parameters: { identity: tf.zeros([batch, 3]) },
      }
    },
    state: () => picture,
    restore: (state) => void (picture = state as number),
  }
}

describe.each(testBackends)('dense landmark training on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: a crop shows its points where it says', async () => {
    const { image, points } = dots(2, 64)
    const draws = drawDenseCrops(2, createRandom(3), { color: 0, coarseShare: 1, video: 0 })
    const outline = tf.tidy(() => tf.slice(points, [0, 0, 0], [-1, 17, 2]))
    const crops = cutDenseCrops(image, points, outline, draws, 96)
    expect([crops.images.shape, crops.positions.shape, crops.depths.shape]).toEqual([
      [2, 96, 96, 3],
      [2, N + 17, 2],
      [2, N],
    ])
    const [pixels, places, depths, given] = await Promise.all(
      [crops.images, crops.positions, crops.depths, points].map((x) => x.data()),
    )
    let bright = 0
    for (let k = 0; k < N; k++) {
      const [x, y] = [places[2 * k] * 96, places[2 * k + 1] * 96]
      if (x < 1 || y < 1 || x > 95 || y > 95) continue
      bright += pixels[(Math.floor(y) * 96 + Math.floor(x)) * 3] > 0.5 ? 1 : 0
    }
    expect(bright).toBeGreaterThan(60)
    // Depths in the same unit as distances.
    const distance = (a: number, b: number, of: ArrayLike<number>, stride: number) =>
      Math.hypot(of[stride * a] - of[stride * b], of[stride * a + 1] - of[stride * b + 1])
    const unit = distance(0, 40, places, 2) / distance(0, 40, given, 3)
    expect(depths[1] - depths[0]).toBeCloseTo(2 * unit, 4)
    tf.dispose([image, points, draws, outline, crops])
  })

  it('value: pictures of few pixels and in blocks lose detail, and keep their brightness', async () => {
    const noise = tf.tidy(() => tf.clipByValue(tensor<tf.Rank.R4>([1, 64, 64, 3], 12, 0.2, 0.5), 0, 1))
    const { points } = dots(1, 64)
    const outline = tf.tidy(() => tf.slice(points, [0, 0, 0], [-1, 17, 2]))
    const plain = drawDenseCrops(1, createRandom(3), { color: 0, video: 0 })
    const numbers = await plain.data()
    /** Mean, and mean difference of neighbours, of the crop with some of the last four numbers (blur across and down, pixels for one, step). */
    const look = async (...last: number[]) => {
      const draws = tf.tensor2d([...numbers.slice(0, -4), ...last], plain.shape)
      const crops = cutDenseCrops(noise, points, outline, draws, 64)
      const data = Float32Array.from(await crops.images.data())
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length
      let change = 0
      for (let i = 3; i < data.length; i++) change += Math.abs(data[i] - data[i - 3]) / data.length
      tf.dispose([draws, crops])
      return { mean, change }
    }
    const sharp = await look(0, 0, 1, 0)
    const [blurred, coarse, blocky] = [
      await look(2, 0, 1, 0),
      await look(0, 0, 4, 0),
      await look(0, 0, 1, 0.3),
    ]
    for (const { mean } of [blurred, coarse, blocky]) expect(Math.abs(mean - sharp.mean)).toBeLessThan(0.01)
    expect(blurred.change).toBeLessThan(0.4 * sharp.change)
    expect(coarse.change).toBeLessThan(0.4 * sharp.change)
    expect(blocky.change).toBeLessThan(0.7 * sharp.change)
    tf.dispose([noise, points, outline, plain])
  })

  it('gradient: of the loss, in all that is predicted', async () => {
    const targets = {
      positions: tensor<tf.Rank.R3>([2, N + 17, 2], 1, 0.1, 0.5),
      depths: tensor<tf.Rank.R2>([2, N], 2, 0.1),
      visibility: tf.tensor2d(
        Array.from({ length: 2 * N }, (_, i) => (i % 3 === 0 ? 0 : 1)),
        [2, N],
      ),
      identity: tensor<tf.Rank.R2>([2, 3], 3),
    }
    const names = [
      'positions',
      'logDeviations',
      'depths',
      'logDepthDeviations',
      'identity',
      'logIdentityDeviations',
    ] as const
    const inputs = [
      tensor([2, N + 17, 2], 4, 0.1, 0.5),
      tensor([2, N + 17], 5, 0.3, -3),
      tensor([2, N], 6, 0.1),
      tensor([2, N], 7, 0.3, -3),
      tensor([2, 3], 8),
      tensor([2, 3], 9, 0.3),
    ]
    const prediction = (...tensors: tf.Tensor[]) =>
      Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as unknown as DensePrediction
    const value = (...tensors: tf.Tensor[]) =>
      tf.stack(Object.values(denseLandmarkLoss(prediction(...tensors), targets, { beta: 0 }).terms))
    await checkGradient(value, inputs, { step: 1e-2 })
    tf.dispose([targets, inputs])
  })

  it('value: the likelihood is least at the truth and at honest deviations', async () => {
    const targets = {
      positions: tensor<tf.Rank.R3>([4, N, 2], 1, 0.1, 0.5),
      depths: tensor<tf.Rank.R2>([4, N], 2, 0.1),
      visibility: tf.ones([4, N]) as tf.Tensor2D,
      identity: tf.zeros([4, 0]) as tf.Tensor2D,
    }
    const noise = tensor<tf.Rank.R3>([4, N, 2], 10, 0.02)
    const loss = async (noisy: boolean, logDeviation: number) => {
      const result = tf.tidy(() => {
        const prediction: DensePrediction = {
          positions: noisy ? tf.add(targets.positions, noise) : targets.positions,
          logDeviations: tf.fill([4, N], logDeviation) as tf.Tensor2D,
          depths: targets.depths,
          logDepthDeviations: tf.fill([4, N], -3) as tf.Tensor2D,
          identity: targets.identity,
          logIdentityDeviations: targets.identity,
        }
        const weights = { depths: 0, openings: 0, identity: 0 }
        return denseLandmarkLoss(prediction, targets, { beta: 0, weights }).total
      })
      const [value] = await result.data()
      result.dispose()
      return value
    }
    const honest = Math.log(0.02)
    const [right, wide, narrow, exact] = await Promise.all([
      loss(true, honest),
      loss(true, honest + 0.4),
      loss(true, honest - 0.4),
      loss(false, honest),
    ])
    expect(right).toBeLessThan(wide)
    expect(right).toBeLessThan(narrow)
    expect(exact).toBeLessThan(right)
    tf.dispose([targets, noise])
  })

  it.each([2, 3])('value: batches go on exactly after a restoration behind %i of them', async (count) => {
    const make = () => createDenseBatches(renderings(2, 32), { inputSize: 32, uses: 2, seed: 5 })
    const [a, b] = [make(), make()]
    for (let i = 0; i < count; i++) tf.dispose(await a.next())
    const state = JSON.parse(JSON.stringify(a.state())) as unknown
    b.restore(state)
    for (let i = 0; i < 3; i++) {
      const [x, y] = [await a.next(), await b.next()]
      for (const [k, tensor] of x.entries()) expect(await y[k].data()).toEqual(await tensor.data())
      tf.dispose([x, y])
    }
    a.dispose()
    b.dispose()
  })

  it.skipIf(backend === 'cpu')('value: a network learns where the dots are', async () => {
    const network = createDenseNetwork({ points: N, identity: 3, inputSize: 64, width: 0.3 })
    const batches = createDenseBatches(renderings(4, 64), { inputSize: 64, coarseShare: 0 })
    const batch = await batches.next()
    const [images, positions, depths, visibility, identity] = batch
    const optimizer = tf.train.adam(0.01)
    const losses: number[] = []
    for (let i = 0; i < 40; i++) {
      const value = optimizer.minimize(
        () =>
          denseLandmarkLoss(
            network.apply(images, { training: true }),
            { positions, depths, visibility, identity },
            { kind: i < 20 ? 'distances' : 'likelihood' },
          ).terms.positions,
        true,
      )!
      losses.push((await value.data())[0])
      value.dispose()
    }
    expect(losses[19]).toBeLessThan(0.5 * losses[0])
    expect(losses.at(-1)).toBeLessThan(losses[20])
    tf.dispose(batch)
    optimizer.dispose()
    batches.dispose()
    network.dispose()
  })
})

describe('dense landmark training', () => {
  beforeAll(() => useBackend('cpu'))

  it('throws: names what is wrong', async () => {
    const plain: DenseRenderings = {
      ...renderings(1, 32),
      next: () => ({
        image: tf.zeros([1, 32, 32, 3]),
        landmarks: tf.zeros([1, 68, 2]),
        parameters: { identity: tf.zeros([1, 3]) },
      }),
    }
    await expect(createDenseBatches(plain).next()).rejects.toThrow(/denseLandmarks/)
    expect(() => createDenseBatches(plain, { uses: 0 })).toThrow(ValueError)
    expect(() => createDenseBatches(plain).restore({})).toThrow(ValueError)
    const { image, points } = dots(1, 32)
    expect(() => cutDenseCrops(image, points, tf.zeros([2, 17, 2]), tf.zeros([1, 15]), 32)).toThrow(
      ShapeError,
    )
  })
})
