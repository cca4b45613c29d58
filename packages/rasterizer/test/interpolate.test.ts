import * as tf from '@tensorflow/tfjs-core'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { interpolate, rasterize } from '@facekit/rasterizer'
import { checkGradient, expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, expect, it } from 'vitest'
import { describeBackends, read, readAll } from './backends.js'
import { clipFromPixels, dome } from './meshes.js'
import { referenceBarycentrics } from './reference.js'

const size = { width: 16, height: 12 }

describeBackends('interpolate', (backend) => {
  beforeAll(() => useBackend(backend))

  const scene = () => {
    const mesh = dome(9)
    const random = createRandom(4)
    const clip = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
    const attributes = tf.tensor3d(
      Float32Array.from({ length: mesh.vertexCount * 5 }, () => random.normal()),
      [1, mesh.vertexCount, 5],
    )
    return { ...mesh, clip, attributes }
  }

  it('value: a colour falls off linearly from its corner', async () => {
    const clip = clipFromPixels(
      [
        [0, 0],
        [0, 8],
        [8, 0],
      ],
      4,
      4,
    )
    const triangles = Int32Array.of(0, 1, 2)
    const out = await read(() =>
      interpolate(
        tf.tensor2d([[1], [0], [0]]),
        rasterize(clip, triangles, { width: 4, height: 4 }),
        triangles,
      ),
    )
    expect(out[0]).toBeCloseTo(1 - 1 / 8, 6)
    expect(out[7]).toBeCloseTo(1 - 5 / 8, 6)
    clip.dispose()
  })

  it('value: perspective-correct, against a float64 reference', async () => {
    const { clip, attributes, triangles } = scene()
    const fragments = rasterize(clip, triangles, size)
    const out = interpolate(attributes, fragments, triangles)
    expect(out.shape).toEqual([1, 12, 16, 5])
    const [ids, values, colors, vertices] = await readAll([fragments.triangleIds, out, attributes, clip])
    let [worst, covered] = [0, 0]
    for (let q = 0; q < ids.length; q++) {
      const corners = ids[q] < 0 ? [] : Array.from(triangles.subarray(3 * ids[q], 3 * ids[q] + 3))
      if (ids[q] >= 0) covered++
      const weights =
        ids[q] < 0
          ? []
          : referenceBarycentrics(
              vertices,
              corners[0],
              corners[1],
              corners[2],
              (q % 16) + 0.5,
              Math.floor(q / 16) + 0.5,
              16,
              12,
            )
      for (let k = 0; k < 5; k++) {
        const expected = corners.reduce((sum, corner, i) => sum + weights[i] * colors[5 * corner + k], 0)
        worst = Math.max(worst, Math.abs(values[5 * q + k] - expected))
      }
    }
    expect(covered).toBeGreaterThan(50)
    expect(worst).toBeLessThan(1e-4)
    tf.dispose([clip, attributes, out, ...Object.values(fragments)])
  })

  it('value: shared and per-picture attributes', async () => {
    const { clip, attributes, triangles } = scene()
    const both = tf.concat([clip, clip], 0)
    const fragments = rasterize(both, triangles, size)
    const doubled = tf.tidy(() => tf.concat([attributes, tf.mul(attributes, 2)], 0))
    const flat = tf.squeeze<tf.Tensor2D>(attributes, [0])
    const [own, shared, sharedFlat] = [doubled, attributes, flat].map((a) =>
      interpolate(a as tf.Tensor3D, fragments, triangles),
    )
    const half = shared.size / 2
    const [ownValues, values] = await readAll([own, shared])
    expect([...(await sharedFlat.data())]).toEqual([...values])
    expect(values.slice(half)).toEqual(values.slice(0, half))
    expect(ownValues.slice(half)).toEqual(values.slice(0, half).map((v) => v * 2))
    tf.dispose([clip, attributes, both, doubled, flat, own, shared, sharedFlat, ...Object.values(fragments)])
  })

  it('gradient: attributes, shared or not', async () => {
    const { clip, attributes, triangles } = scene()
    const both = tf.concat([clip, clip], 0)
    const fragments = rasterize(both, triangles, size)
    const own = tf.concat([attributes, attributes], 0)
    const flat = tf.squeeze<tf.Tensor2D>(attributes, [0])
    for (const input of [attributes, own, flat]) {
      await checkGradient((x) => interpolate(x as tf.Tensor3D, fragments, triangles), [input])
    }
    tf.dispose([clip, attributes, both, own, flat, ...Object.values(fragments)])
  })

  it('gradient: vertices and attributes together, inside of a fixed coverage', async () => {
    const clip = tf.tensor3d([
      [
        [-9, 8, 0, 2],
        [-8, -9, 0, 3],
        [12, 1, 0, 1.5],
      ],
    ])
    const attributes = tf.tensor3d([
      [
        [1, -2],
        [0.5, 3],
        [-4, 1],
      ],
    ])
    const triangles = Int32Array.of(0, 1, 2)
    await checkGradient(
      (x, a) =>
        interpolate(
          a as tf.Tensor3D,
          rasterize(x as tf.Tensor3D, triangles, { width: 6, height: 5 }),
          triangles,
        ),
      [clip, attributes],
      { step: 2e-2 },
    )
    tf.dispose([clip, attributes])
  })

  it('memory: nothing is left behind', async () => {
    const { clip, attributes, triangles } = scene()
    const flat = tf.squeeze<tf.Tensor2D>(attributes, [0])
    const fragments = rasterize(clip, triangles, size)
    await expectNoLeak(() => interpolate(flat, fragments, triangles).dispose())
    await expectNoLeak(() =>
      tf.dispose(
        tf.grads((x: tf.Tensor, a: tf.Tensor) =>
          tf.sum(interpolate(a as tf.Tensor2D, rasterize(x as tf.Tensor3D, triangles, size), triangles)),
        )([clip, flat]),
      ),
    )
    tf.dispose([clip, attributes, flat, ...Object.values(fragments)])
  })

  it('throws: wrong shapes and indices', () => {
    const { clip, attributes, triangles } = scene()
    const fragments = rasterize(clip, triangles, size)
    const three = tf.zeros<tf.Rank.R3>([3, attributes.shape[1], 2])
    const few = tf.zeros<tf.Rank.R2>([4, 2])
    const line = tf.zeros([4])
    expect(() => interpolate(three, fragments, triangles)).toThrow(ShapeError)
    expect(() => interpolate(line as tf.Tensor2D, fragments, triangles)).toThrow(ShapeError)
    expect(() => interpolate(few, fragments, triangles)).toThrow(ValueError)
    tf.dispose([clip, attributes, three, few, line, ...Object.values(fragments)])
  })
})
