import * as tf from '@tensorflow/tfjs-core'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { type Topology, createTopology } from '@facekit/mesh'
import { antialias, interpolate, rasterize } from '@facekit/rasterizer'
import { checkGradient, expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { describeBackends, read, readAll } from './backends.js'
import { clipFromPixels, dome } from './meshes.js'

/** Smoothed coverage `[B, H, W, 1]` of a mesh. */
function coverage(clip: tf.Tensor3D, topology: Topology, width: number, height: number): tf.Tensor4D {
  return tf.tidy(() => {
    const fragments = rasterize(clip, topology.triangles, { width, height })
    const mask = tf.expandDims<tf.Tensor4D>(tf.cast(tf.greaterEqual(fragments.triangleIds, 0), 'float32'), 3)
    return antialias(mask, fragments, clip, topology)
  })
}

const sumOf = async (t: tf.Tensor) => (await t.data<'float32'>()).reduce((a, b) => a + b, 0)

const areaOf = (points: readonly number[][]) =>
  Math.abs(
    points.reduce((sum, [x, y], i) => {
      const [u, v] = points[(i + 1) % points.length]
      return sum + x * v - y * u
    }, 0) / 2,
  )

/** A disc of tiny triangles in pixels: rings of points around a centre. */
function disc(cx: number, cy: number, radius: number, rings: number, sectors: number) {
  const points = [[cx, cy]]
  for (let r = 1; r <= rings; r++) {
    for (let s = 0; s < sectors; s++) {
      const angle = (2 * Math.PI * (s + 0.3)) / sectors
      points.push([cx + (radius * r * Math.cos(angle)) / rings, cy + (radius * r * Math.sin(angle)) / rings])
    }
  }
  const triangles: number[] = []
  for (let s = 0; s < sectors; s++) {
    const next = (s + 1) % sectors
    triangles.push(0, 1 + s, 1 + next)
    for (let r = 1; r < rings; r++) {
      const [a, b] = [1 + (r - 1) * sectors, 1 + r * sectors]
      triangles.push(a + s, b + s, b + next, a + s, b + next, a + next)
    }
  }
  return { points, triangles: Int32Array.from(triangles) }
}

describe('createTopology', () => {
  it('value: neighbours, windings, open edges', () => {
    const { neighbors, flipped } = createTopology(Int32Array.of(0, 1, 2, 2, 1, 3), 4)
    expect([...neighbors]).toEqual([1, -1, -1, -1, -1, 0])
    expect(Math.max(...flipped)).toBe(0)
    expect([...createTopology(Int32Array.of(0, 1, 2, 1, 2, 3), 4).flipped]).toEqual([1, 0, 0, 0, 0, 1])
  })

  it('value: an edge of three or four triangles is open in each', () => {
    for (const count of [3, 4]) {
      const triangles = Int32Array.from(Array.from({ length: count }, (_, i) => [0, 1, 2 + i]).flat())
      const { neighbors } = createTopology(triangles, 2 + count)
      expect(new Set(neighbors)).toEqual(new Set([-1]))
    }
  })

  it('value: labels open the edges between them', () => {
    const triangles = Int32Array.of(0, 1, 2, 2, 1, 3)
    expect(new Set(createTopology(triangles, 4, { labels: [0, 1] }).neighbors)).toEqual(new Set([-1]))
    expect([...createTopology(triangles, 4, { labels: [5, 5] }).neighbors]).toEqual([1, -1, -1, -1, -1, 0])
  })

  it('value: the triangles at each vertex, ascending', () => {
    const { vertexOffsets, vertexTriangles } = createTopology(Int32Array.of(0, 1, 2, 2, 1, 3), 5)
    expect([...vertexOffsets]).toEqual([0, 1, 3, 5, 6, 6])
    expect([...vertexTriangles]).toEqual([0, 0, 1, 0, 1, 1])
  })

  it('value: made once for an array of triangles', () => {
    const triangles = Int32Array.of(0, 1, 2, 2, 1, 3)
    const topology = createTopology(triangles, 4)
    expect(createTopology(triangles, 4)).toBe(topology)
    expect(createTopology(triangles, 4, { labels: [0, 1] }).vertexTriangles).toBe(topology.vertexTriangles)
    expect(createTopology(triangles, 5).vertexCount).toBe(5)
  })

  it('throws: indices out of range, wrong number of labels', () => {
    expect(() => createTopology(Int32Array.of(0, 1, 4), 4)).toThrow(ValueError)
    expect(() => createTopology(Int32Array.of(0, 1), 4)).toThrow(ShapeError)
    expect(() => createTopology(Int32Array.of(0, 1, 2), 4, { labels: [] })).toThrow(ValueError)
  })
})

describeBackends('antialias', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: an upright edge covers its column in proportion', async () => {
    for (const edge of [2, 2.25, 2.5, 2.75, 3]) {
      // A square wider than the picture to the left, above and below; its right side is at x = edge.
      const clip = clipFromPixels(
        [
          [-9, -9],
          [-9, 13],
          [edge, 13],
          [edge, -9],
        ],
        4,
        4,
      )
      const topology = createTopology(Int32Array.of(0, 1, 2, 0, 2, 3), 4)
      const out = coverage(clip, topology, 4, 4)
      const row = (await out.data()).slice(4, 8)
      expect(row[0]).toBeCloseTo(1, 5)
      expect(row[1]).toBeCloseTo(1, 5)
      expect(row[2]).toBeCloseTo(edge - 2, 5)
      expect(row[3]).toBeCloseTo(0, 5)
      tf.dispose([clip, out])
    }
  })

  it('value: the area of random triangles, in perspective as well', async () => {
    const random = createRandom(3)
    for (let round = 0; round < 20; round++) {
      const points = Array.from({ length: 3 }, () => [random.uniform(2, 46), random.uniform(2, 46)])
      const area = areaOf(points)
      if (area < 150) continue
      const clip = clipFromPixels(
        points.map((p) => [...p, 0, random.uniform(0.5, 3)]),
        48,
        48,
      )
      const out = coverage(clip, createTopology(Int32Array.of(0, 1, 2), 3), 48, 48)
      expect(Math.abs((await sumOf(out)) - area)).toBeLessThan(2)
      tf.dispose([clip, out])
    }
  })

  it('value: the area of a disc of triangles smaller than a pixel', async () => {
    const { points, triangles } = disc(16.2, 15.7, 11.3, 40, 120)
    const clip = clipFromPixels(points, 32, 32)
    const out = coverage(clip, createTopology(triangles, points.length), 32, 32)
    const total = await sumOf(out)
    // The hard picture is off by up to a few pixels; its outline moves in steps.
    expect(Math.abs(total - Math.PI * 11.3 ** 2)).toBeLessThan(1)
    tf.dispose([clip, out])
  })

  it('gradient: moving an edge changes the area by its length', async () => {
    const { points, triangles } = disc(16.2, 15.7, 11.3, 40, 120)
    const unit = createTopology(triangles, points.length)
    const area = (scale: tf.Tensor) =>
      tf.tidy(() => {
        // Clip space around the disc's centre: its radius is multiplied by scale.
        const base = clipFromPixels(points, 32, 32)
        const center = tf.slice(base, [0, 0, 0], [1, 1, 4])
        const clip = tf.add<tf.Tensor3D>(center, tf.mul(tf.sub(base, center), scale))
        return tf.sum(coverage(clip, unit, 32, 32))
      })
    const [slope] = await read(() => tf.grad(area)(tf.scalar(1)))
    // d(pi r^2 s^2) / ds at 1
    expect(Math.abs(slope / (2 * Math.PI * 11.3 ** 2) - 1)).toBeLessThan(0.03)
  })

  it("gradient: a triangle's area with respect to its corners, against the shoelace formula", async () => {
    const size = 64
    const random = createRandom(8)
    let tested = 0
    for (let round = 0; round < 60; round++) {
      const points = Array.from({ length: 3 }, () => [random.uniform(4, 60), random.uniform(4, 60)])
      if (areaOf(points) < 500) continue
      tested++
      const clip = clipFromPixels(
        points.map((p) => [...p, 0, 1 + random.uniform()]),
        size,
        size,
      )
      const topology = createTopology(Int32Array.of(0, 1, 2), 3)
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(coverage(x as tf.Tensor3D, topology, size, size)))(
        clip,
      )
      const [values, w] = await readAll([gradient, clip])
      const sign = Math.sign(
        (points[1][0] - points[0][0]) * (points[2][1] - points[0][1]) -
          (points[1][1] - points[0][1]) * (points[2][0] - points[0][0]),
      )
      for (let i = 0; i < 3; i++) {
        const [next, last] = [points[(i + 1) % 3], points[(i + 2) % 3]]
        // x_px = (x / w + 1) size / 2 and y_px = (1 - y / w) size / 2
        const scale = (sign * size) / 2 / w[4 * i + 3] / 2
        expect(Math.abs(values[4 * i] - scale * (next[1] - last[1]))).toBeLessThan(
          0.06 * size * Math.abs(scale),
        )
        expect(Math.abs(values[4 * i + 1] + scale * (last[0] - next[0]))).toBeLessThan(
          0.06 * size * Math.abs(scale),
        )
      }
      tf.dispose([clip, gradient])
    }
    expect(tested).toBeGreaterThan(3)
  })

  it('gradient: vertices and picture, against central differences', async () => {
    // Two triangles, one in front of the other, that reach over the picture's border; a small step changes no pixel's triangle.
    const clip = clipFromPixels(
      [
        [3.3, -4, -0.5, 1.5],
        [-4, 14, -0.2, 1],
        [7.2, 15, -0.4, 2],
        [-6, 3.3, 0.5, 1],
        [16, 4.2, 0.5, 2],
        [15, 30, 0.5, 1],
      ],
      10,
      10,
    )
    const triangles = Int32Array.of(0, 1, 2, 3, 4, 5)
    const topology = createTopology(triangles, 6)
    const random = createRandom(6)
    const image = tf.tensor4d(
      Float32Array.from({ length: 300 }, () => random.normal()),
      [1, 10, 10, 3],
    )
    const fragments = rasterize(clip, triangles, { width: 10, height: 10 })
    await checkGradient(
      (x, picture) => antialias(picture as tf.Tensor4D, fragments, x as tf.Tensor3D, topology),
      [clip, image],
      { step: 2e-3 },
    )
    tf.dispose([clip, image, ...Object.values(fragments)])
  })

  it('gradient: the whole chain follows a moving shape through steps of visibility', async () => {
    // The picture of a dome shifted by t, compared with itself at t = 0: the slope of the loss must fit its values.
    const mesh = dome(24)
    const topology = createTopology(mesh.triangles, mesh.vertexCount)
    const base = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
    const loss = (t: tf.Tensor) =>
      tf.tidy(() => {
        const clip = tf.add<tf.Tensor3D>(base, tf.mul(t, tf.tensor1d([1, 0.4, 0, 0])))
        const fragments = rasterize(clip, mesh.triangles, { width: 40, height: 40 })
        const colors = tf.ones<tf.Rank.R3>([1, mesh.vertexCount, 1])
        const image = antialias(interpolate(colors, fragments, mesh.triangles), fragments, clip, topology)
        const ramp = tf.reshape(tf.linspace(0, 1, 40), [1, 1, 40, 1])
        return tf.sum(tf.mul(image, ramp))
      })
    const steps = 40
    let integral = 0
    for (let i = 0; i < steps; i++) {
      const [slope] = await read(() => tf.grad(loss)(tf.scalar(((i + 0.5) / steps) * 0.8)))
      integral += (slope * 0.8) / steps
    }
    const [change] = await read(() => tf.sub(loss(tf.scalar(0.8)), loss(tf.scalar(0))))
    expect(Math.abs(change)).toBeGreaterThan(5)
    expect(Math.abs(integral / change - 1)).toBeLessThan(0.05)
    base.dispose()
  })

  it('value: the inside of a closed surface is left alone, its folds are smoothed', async () => {
    const mesh = dome(30)
    const topology = createTopology(mesh.triangles, mesh.vertexCount)
    const clip = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
    const fragments = rasterize(clip, mesh.triangles, { width: 32, height: 32 })
    const random = createRandom(1)
    const image = tf.tensor4d(
      Float32Array.from({ length: 1024 }, () => random.uniform()),
      [1, 32, 32, 1],
    )
    const out = antialias(image, fragments, clip, topology)
    const [before, after, ids] = await readAll([image, out, fragments.triangleIds])
    const changed = [...before.keys()].filter((q) => before[q] !== after[q])
    expect(changed.length).toBeGreaterThan(20)
    const nearBackground = (q: number) => [q, q - 1, q + 1, q - 32, q + 32].some((p) => ids[p] === -1)
    expect(changed.every(nearBackground)).toBe(true)
    tf.dispose([clip, image, out, ...Object.values(fragments)])
  })

  it('value: labels of coplanar neighbours are smoothed where they meet', async () => {
    const clip = clipFromPixels(
      [
        [-9, -9],
        [-9, 13],
        [2.25, 13],
        [2.25, -9],
        [14, -9],
        [14, 13],
      ],
      4,
      4,
    )
    const triangles = Int32Array.of(0, 1, 2, 0, 2, 3, 3, 2, 5, 3, 5, 4)
    const row = async (labels?: number[]) => {
      const values = await read(() => {
        const fragments = rasterize(clip, triangles, { width: 4, height: 4 })
        const image = tf.expandDims<tf.Tensor4D>(tf.cast(tf.less(fragments.triangleIds, 2), 'float32'), 3)
        return antialias(image, fragments, clip, createTopology(triangles, 6, { labels }))
      })
      return Array.from(values.slice(4, 8), (v) => Math.round(v * 1e4) / 1e4)
    }
    expect(await row()).toEqual([1, 1, 0, 0])
    expect(await row([0, 0, 1, 1])).toEqual([1, 1, 0.25, 0])
    clip.dispose()
  })

  it('memory: nothing is left behind', async () => {
    const mesh = dome(8)
    const topology = createTopology(mesh.triangles, mesh.vertexCount)
    const clip = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
    await expectNoLeak(() => coverage(clip, topology, 9, 9).dispose())
    await expectNoLeak(() =>
      tf
        .grad((x: tf.Tensor) => tf.sum(coverage(x as tf.Tensor3D, topology, 9, 9)))(clip)
        .dispose(),
    )
    clip.dispose()
  })

  it('throws: wrong shapes and topologies', () => {
    const clip = clipFromPixels(
      [
        [0, 0],
        [0, 4],
        [4, 0],
      ],
      4,
      4,
    )
    const triangles = Int32Array.of(0, 1, 2)
    const fragments = rasterize(clip, triangles, { width: 4, height: 4 })
    const [image, small] = [tf.zeros<tf.Rank.R4>([1, 4, 4, 3]), tf.zeros<tf.Rank.R4>([1, 4, 3, 3])]
    const topology = createTopology(triangles, 3)
    expect(() => antialias(small, fragments, clip, topology)).toThrow(ShapeError)
    expect(() => antialias(image, fragments, image as unknown as tf.Tensor3D, topology)).toThrow(ShapeError)
    expect(() => antialias(image, fragments, clip, createTopology(triangles, 5))).toThrow(ShapeError)
    tf.dispose([clip, image, small, ...Object.values(fragments)])
  })
})
