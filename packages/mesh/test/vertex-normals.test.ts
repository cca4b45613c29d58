import * as tf from '@tensorflow/tfjs-core'
import {
  checkGradient,
  createTinyFace,
  expectNoLeak,
  hasWebgpu,
  testBackends,
  useBackend,
} from '@facekit/testing'
import { createRandom } from '@facekit/core'
import { vertexNormals } from '@facekit/mesh'
import { evaluateShape } from '@facekit/morphable'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'

const model = createTinyFace({ rows: 9, columns: 9 })

/** Rough meshes: where triangles are nearly degenerate, float32 differences say nothing. */
const meshes = (batch: number) => {
  const random = createRandom(4)
  const mean = model.shape.mean.data
  return tf.tensor3d(
    Float32Array.from({ length: batch * mean.length }, (_, i) => mean[i % mean.length] + random.normal()),
    [batch, model.vertexCount, 3],
  )
}

/** Area-weighted normals in float64. */
function reference(positions: ArrayLike<number>, triangles: Int32Array): Float64Array {
  const sums = new Float64Array(positions.length)
  const point = (v: number) => [0, 1, 2].map((axis) => positions[v * 3 + axis])
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => point(triangles[t + k]))
    const u = b.map((value, i) => value - a[i])
    const v = c.map((value, i) => value - a[i])
    const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    for (let k = 0; k < 3; k++) for (let i = 0; i < 3; i++) sums[triangles[t + k] * 3 + i] += normal[i]
  }
  for (let v = 0; v < sums.length; v += 3) {
    const length = Math.hypot(sums[v], sums[v + 1], sums[v + 2])
    for (let i = v; i < v + 3; i++) sums[i] /= length || 1
  }
  return sums
}

const webgpu = await hasWebgpu()

const missing = (backend: string) => backend === 'webgpu' && !webgpu

describe.for([...testBackends, 'device', 'webgpu'])('vertexNormals on %s', (backend) => {
  beforeEach(({ skip }) => skip(missing(backend), 'no WebGPU here'))
  beforeAll(async () => void (missing(backend) || (await useBackend(backend))))

  it('smoke: normals of the tiny face have unit length and look at the camera', async () => {
    const vertices = evaluateShape(model, { identity: tf.zeros([1, 6]), expression: tf.zeros([1, 4]) })
    const normals = await vertexNormals(vertices, model).data()
    for (let v = 0; v < normals.length; v += 3) {
      expect(Math.hypot(normals[v], normals[v + 1], normals[v + 2])).toBeCloseTo(1, 5)
      expect(normals[v + 2]).toBeGreaterThan(0)
    }
  })

  it('value: a right angle by hand, weighted by area', async () => {
    // Two triangles at vertex 0: one of area 2 facing +z, one of area 1/2 facing +x.
    const vertices = tf.tensor3d([
      [
        [0, 0, 0],
        [2, 0, 0],
        [0, 2, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ])
    const normals = (await vertexNormals(vertices, Int32Array.of(0, 1, 2, 0, 3, 4)).array())[0]
    const length = Math.hypot(4, 1)
    expect(normals[0][0]).toBeCloseTo(1 / length, 6)
    expect(normals[0][2]).toBeCloseTo(4 / length, 6)
    expect(normals[1]).toEqual([0, 0, 1])
    expect(normals[4]).toEqual([1, 0, 0])
  })

  it('value: equals float64 for two meshes at once', async () => {
    const vertices = meshes(2)
    const positions = await vertices.data()
    const normals = await vertexNormals(vertices, model).data()
    const size = model.vertexCount * 3
    for (let b = 0; b < 2; b++) {
      const expected = reference(positions.subarray(b * size, (b + 1) * size), model.triangles)
      for (let i = 0; i < size; i++) expect(Math.abs(normals[b * size + i] - expected[i])).toBeLessThan(2e-6)
    }
  })

  it('value: 0 without area, and a finite gradient there', async () => {
    const vertices = tf.zeros([1, 4, 3]) as tf.Tensor3D
    const triangles = Int32Array.of(0, 1, 2)
    expect([...(await vertexNormals(vertices, triangles).data())]).toEqual(Array(12).fill(0))
    const gradient = tf.grad((v: tf.Tensor) => tf.sum(vertexNormals(v as tf.Tensor3D, triangles)))(vertices)
    expect([...(await gradient.data())]).toEqual(Array(12).fill(0))
  })

  it('gradient: with respect to the vertices', async () => {
    await checkGradient((v) => vertexNormals(v as tf.Tensor3D, model), [meshes(2)], { step: 3e-2 })
  })

  it('throws: wrong shapes, triangles of another mesh', () => {
    expect(() => vertexNormals(tf.zeros([5, 3]) as unknown as tf.Tensor3D, model)).toThrow(
      'vertexNormals: vertices is [5, 3], expected [B, N, 3]',
    )
    expect(() => vertexNormals(tf.zeros([1, 5, 3]), model)).toThrow('the triangles name vertex')
    expect(() => vertexNormals(tf.zeros([1, 5, 3]), Int32Array.of(0, 1))).toThrow('expected [F * 3]')
  })

  it('memory: nothing is left', async () => {
    const vertices = meshes(1)
    await expectNoLeak(() =>
      tf.tidy(() => {
        const gradient = tf.grad((v: tf.Tensor) => tf.sum(tf.square(vertexNormals(v as tf.Tensor3D, model))))
        void gradient(vertices)
      }),
    )
    await expectNoLeak(() => vertexNormals(vertices, model).dispose())
  })
})
