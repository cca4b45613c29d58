import { readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createDenseNetwork, saveDenseNetwork } from '@facekit/annotate'
import { createRandom, ModelFormatError, ShapeError } from '@facekit/core'
import {
  createRegressor,
  denseBackbone,
  foldRegressor,
  loadDenseBackbone,
  loadRegressor,
  saveRegressor,
} from '@facekit/regressor'
import { useBackend } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'

const COUNTS = { points: 12, outline: 3, identity: 4, width: 0.2 }
const LAYOUT = { identity: 5, expression: 3, albedo: 2 }
const SIZE = 32

const random = createRandom(4)
const TEMPLATE = Float32Array.from({ length: 3 * COUNTS.points }, () => random.normal(0, 40))

describe('denseBackbone', () => {
  beforeAll(() => useBackend('wasm'))

  const open = (seed = 1) =>
    createRegressor({ backbone: denseBackbone(COUNTS), layout: LAYOUT, inputSize: SIZE, seed })
  const trained = async (seed = 3) => {
    const network = createDenseNetwork({ ...COUNTS, inputSize: SIZE, seed })
    const bytes = await saveDenseNetwork(network)
    network.dispose()
    return bytes
  }

  it('value: takes a dense landmark network in, and stays the same over files and folding', async () => {
    const regressor = open()
    const images = tf.randomUniform([2, SIZE, SIZE, 3], 0, 1, 'float32', 7) as tf.Tensor4D
    const before = regressor.outputs(images).dataSync()
    loadDenseBackbone(regressor, await trained(), TEMPLATE)
    const outputs = regressor.outputs(images).dataSync()
    expect(outputs).not.toEqual(before)
    expect(outputs.every(Number.isFinite)).toBe(true)
    const folded = foldRegressor(regressor)
    const stored = await loadRegressor(await saveRegressor(regressor), { backbone: denseBackbone(COUNTS) })
    for (const other of [folded, stored]) {
      const again = other.outputs(images).dataSync()
      outputs.forEach((value, i) => expect(again[i]).toBeCloseTo(value, 5))
      other.dispose()
    }
    // Training takes another way through the heat maps, to the same numbers.
    const training = regressor.outputs(images, { training: true }).dataSync()
    outputs.forEach((value, i) => expect(training[i]).toBeCloseTo(value, 4))
    regressor.dispose()
  })

  it('gradient: reaches the first filters and the last layers', async () => {
    const regressor = open()
    loadDenseBackbone(regressor, await trained(), TEMPLATE)
    const images = tf.randomUniform([2, SIZE, SIZE, 3], 0, 1, 'float32', 8) as tf.Tensor4D
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.square(tf.sub(regressor.outputs(images, { training: true }), 1))) as tf.Scalar,
      regressor.variables,
    )
    const sizes = Object.entries(grads).map(
      ([name, gradient]) => [name, tf.norm(gradient).dataSync()[0]] as const,
    )
    for (const part of ['stem/', 'heatmaps', 'hidden1', 'parameters']) {
      const found = sizes.filter(([name]) => name.includes(part))
      expect(found.length).toBeGreaterThan(0)
      expect(found.every(([, size]) => Number.isFinite(size))).toBe(true)
      expect(found.some(([, size]) => size > 0)).toBe(true)
    }
    tf.dispose(grads)
    regressor.dispose()
  })

  it('throws: another network, another number of points, and nothing has changed', async () => {
    const regressor = open()
    const before = await saveRegressor(regressor)
    const other = createDenseNetwork({ ...COUNTS, width: 0.4, inputSize: SIZE })
    const bytes = await saveDenseNetwork(other)
    expect(() => loadDenseBackbone(regressor, bytes, TEMPLATE)).toThrow(ModelFormatError)
    const own = await trained()
    expect(() => loadDenseBackbone(regressor, own, TEMPLATE.slice(3))).toThrow(ShapeError)
    expect(Buffer.from(await saveRegressor(regressor)).equals(before)).toBe(true)
    other.dispose()
    regressor.dispose()
  })

  it('shape: the network that ships fits the backbone by its name', async () => {
    const file = new URL('../../annotate/weights/dense-landmarks.safetensors', import.meta.url)
    expect(existsSync(file)).toBe(true)
    const regressor = createRegressor({ backbone: 'dense', layout: LAYOUT, inputSize: 192 })
    loadDenseBackbone(regressor, await readFile(file), new Float32Array(3 * 560).fill(1))
    expect(regressor.backbone).toBe('dense')
    regressor.dispose()
  })
})
