import * as tf from '@tensorflow/tfjs-core'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import { rasterize } from '@facekit/rasterizer'
import { checkGradient, expectNoLeak, useBackend } from '@facekit/testing'
import { beforeAll, expect, it } from 'vitest'
import { describeBackends, read, readAll } from './backends.js'
import { clipFromPixels, dome, jitteredGrid, rows } from './meshes.js'
import { referenceBarycentrics, referenceVisibility } from './reference.js'

describeBackends('rasterize', (backend) => {
  beforeAll(() => useBackend(backend))

  const idsOf = (clip: tf.Tensor3D, triangles: Int32Array, width: number, height: number) =>
    read(() => rasterize(clip, triangles, { width, height }).triangleIds)

  it('smoke: shapes and types', () => {
    const clip = clipFromPixels(
      [
        [0, 0],
        [0, 4],
        [4, 0],
      ],
      4,
      3,
    )
    const { triangleIds, barycentrics, depth } = rasterize(clip, Int32Array.of(0, 1, 2), {
      width: 4,
      height: 3,
    })
    expect(triangleIds.shape).toEqual([1, 3, 4])
    expect(triangleIds.dtype).toBe('int32')
    expect(barycentrics.shape).toEqual([1, 3, 4, 3])
    expect(depth.shape).toEqual([1, 3, 4, 1])
    tf.dispose([clip, triangleIds, barycentrics, depth])
  })

  it('value: the example of the documentation; y is flipped once', async () => {
    const clip = tf.tensor3d([
      [
        [-1, 1, 0, 1],
        [-1, -1, 0, 1],
        [1, 1, 0, 1],
      ],
    ])
    expect(rows(await idsOf(clip, Int32Array.of(0, 1, 2), 3, 3), 3)).toEqual([
      [0, 0, -1],
      [0, -1, -1],
      [-1, -1, -1],
    ])
    clip.dispose()
  })

  it('value: top and left edges belong to a triangle, bottom and right edges do not', async () => {
    // A square with corners on pixel centres (0.5, 0.5) .. (2.5, 2.5): 2 x 2 pixels, in either winding.
    const corners = [
      [0.5, 0.5],
      [2.5, 0.5],
      [2.5, 2.5],
      [0.5, 2.5],
    ]
    const clip = clipFromPixels(corners, 4, 4)
    for (const triangles of [
      [0, 1, 2, 0, 2, 3],
      [0, 2, 1, 0, 3, 2],
    ]) {
      expect(rows(await idsOf(clip, Int32Array.from(triangles), 4, 4), 4)).toEqual([
        [0, 0, -1, -1],
        [1, 0, -1, -1],
        [-1, -1, -1, -1],
        [-1, -1, -1, -1],
      ])
    }
    clip.dispose()
  })

  it('value: the nearest triangle wins, the lower index on a tie, in either order', async () => {
    const corners = [
      [0, 0],
      [0, 8],
      [8, 0],
    ]
    const clip = clipFromPixels(
      [...corners.map((p) => [...p, 0.5]), ...corners.map((p) => [...p, -0.5])],
      4,
      4,
    )
    const at = async (order: number[]) => (await idsOf(clip, Int32Array.from(order), 4, 4))[0]
    expect(await at([0, 1, 2, 3, 4, 5])).toBe(1)
    expect(await at([3, 4, 5, 0, 1, 2])).toBe(0)
    expect(await at([0, 1, 2, 0, 1, 2])).toBe(0)
    expect(await at([0, 1, 2, 2, 0, 1])).toBe(0)
    clip.dispose()
  })

  it('value: depth is z / w at the pixel, 1 on background', async () => {
    const clip = clipFromPixels(
      [
        [0, 0, -0.5, 2],
        [0, 4, 0.5, 3],
        [4, 0, 0.25, 1],
      ],
      4,
      4,
    )
    const depth = await read(() => rasterize(clip, Int32Array.of(0, 1, 2), { width: 4, height: 4 }).depth)
    // z / w is linear in the picture: at (0.5, 0.5), weights 0.75, 0.125, 0.125.
    expect(depth[0]).toBeCloseTo(0.75 * -0.5 + 0.125 * 0.5 + 0.125 * 0.25, 6)
    expect(depth[15]).toBe(1)
    clip.dispose()
  })

  it('value: every pixel of a triangulated square is drawn exactly once', async () => {
    for (let seed = 1; seed <= (backend === 'webgpu' ? 2 : 8); seed++) {
      const size = 24
      const { points, triangles } = jitteredGrid(6, size, seed)
      const clip = clipFromPixels(points, size, size)
      const whole = await idsOf(clip, triangles, size, size)
      expect(Math.min(...whole)).toBe(0)
      const hits = new Int32Array(size * size)
      for (let f = 0; f < triangles.length; f += 3) {
        const one = await idsOf(clip, triangles.slice(f, f + 3), size, size)
        for (let q = 0; q < hits.length; q++) if (one[q] === 0) hits[q]++
      }
      expect([...new Set(hits)]).toEqual([1])
      clip.dispose()
    }
  })

  it('value: every pixel of a random fan in perspective is drawn exactly once', async () => {
    const random = createRandom(5)
    for (let round = 0; round < 10; round++) {
      const size = 20
      const ring = 3 + random.integer(9)
      const points: number[][] = [[10.5, 9.5, 0, random.uniform(0.5, 3)]]
      for (let i = 0; i < ring; i++) {
        const angle = (2 * Math.PI * i) / ring
        const w = random.uniform(0.1, 5)
        points.push([10.5 + 40 * Math.cos(angle), 9.5 + 40 * Math.sin(angle), random.uniform(-0.9, 0.9), w])
      }
      const triangles = Int32Array.from(
        Array.from({ length: ring }, (_, i) => [0, 1 + i, 1 + ((i + 1) % ring)]).flat(),
      )
      const clip = clipFromPixels(points, size, size)
      const hits = new Int32Array(size * size)
      for (let f = 0; f < triangles.length; f += 3) {
        const one = await idsOf(clip, triangles.slice(f, f + 3), size, size)
        for (let q = 0; q < hits.length; q++) if (one[q] === 0) hits[q]++
      }
      // The fan of three may miss the picture's corners; nothing may be drawn twice, and its middle never not at all.
      expect(Math.max(...hits)).toBe(1)
      for (let y = 5; y < 15; y++) for (let x = 5; x < 15; x++) expect(hits[y * size + x]).toBe(1)
      clip.dispose()
    }
  })

  it('value: barycentrics are perspective-correct, against a float64 reference', async () => {
    const random = createRandom(3)
    for (let round = 0; round < 20; round++) {
      const points = Array.from({ length: 3 }, () => [
        random.uniform(-6, 22),
        random.uniform(-6, 22),
        random.uniform(-0.9, 0.9),
        random.uniform(0.3, 4),
      ])
      const clip = clipFromPixels(points, 16, 16)
      const { triangleIds, barycentrics } = rasterize(clip, Int32Array.of(0, 1, 2), { width: 16, height: 16 })
      const [ids, values, vertices] = await readAll([triangleIds, barycentrics, clip])
      let worst = 0
      for (let q = 0; q < ids.length; q++) {
        const [px, py] = [(q % 16) + 0.5, Math.floor(q / 16) + 0.5]
        const expected = ids[q] < 0 ? [0, 0, 0] : referenceBarycentrics(vertices, 0, 1, 2, px, py, 16, 16)
        for (let i = 0; i < 3; i++) worst = Math.max(worst, Math.abs(values[3 * q + i] - expected[i]))
      }
      expect(worst).toBeLessThan(2e-5)
      tf.dispose([clip, triangleIds, barycentrics])
    }
  })

  it('value: triangles through the near plane and behind the eye, against rays cast at the scene', async () => {
    const random = createRandom(11)
    const size = 24
    const count = 6
    let covered = 0
    for (let round = 0; round < 30; round++) {
      // A camera at the origin with near 0.5 and far 6 amid triangles that reach behind it and beyond the far plane.
      const [near, far] = [0.5, 6]
      const values: number[] = []
      for (let i = 0; i < 3 * count; i++) {
        const [x, y, z] = [random.uniform(-4, 4), random.uniform(-4, 4), random.uniform(-8, 4)]
        values.push(x, y, (-(far + near) * z - 2 * far * near) / (far - near), -z)
      }
      const clip = tf.tensor3d(values, [1, 3 * count, 4])
      const triangles = Int32Array.from({ length: 3 * count }, (_, i) => i)
      const { triangleIds, depth } = rasterize(clip, triangles, { width: size, height: size })
      const [ids, depths, vertices] = await readAll([triangleIds, depth, clip])
      let differences = 0
      let worst = 0
      for (let q = 0; q < ids.length; q++) {
        const expected = referenceVisibility(
          vertices,
          triangles,
          (q % size) + 0.5,
          Math.floor(q / size) + 0.5,
          size,
          size,
        )
        if (expected.id !== ids[q]) differences++
        else if (ids[q] >= 0) {
          covered++
          worst = Math.max(worst, Math.abs(depths[q] - expected.depth))
        }
      }
      expect(differences).toBe(0)
      expect(worst).toBeLessThan(1e-5)
      tf.dispose([clip, triangleIds, depth])
    }
    expect(covered).toBeGreaterThan(2000)
  })

  it('value: a ground plane that runs through the eye ends at the horizon', async () => {
    const [near, far] = [0.1, 1000]
    const point = (x: number, y: number, z: number) => [
      x,
      y,
      (-(far + near) * z - 2 * far * near) / (far - near),
      -z,
    ]
    const clip = tf.tensor3d([[point(-900, -1, 900), point(900, -1, 900), point(0, -1, -990)]])
    const ids = rows(await idsOf(clip, Int32Array.of(0, 1, 2), 8, 8), 8)
    expect(ids.slice(0, 4).flat()).toEqual(Array(32).fill(-1))
    expect(ids.slice(4).flat()).toEqual(Array(32).fill(0))
    clip.dispose()
  })

  it('value: degenerate, off-screen, huge and non-finite triangles are harmless', async () => {
    const nan = Number.NaN
    const clip = tf.tensor3d([
      [
        [0, 0, 0, 1],
        [0, 0, 0, 1],
        [0.5, 0.5, 0, 1],
        [1e20, 0, 0, 1],
        [-1e20, 1e20, 0, 1],
        [-1e20, -1e20, 0, 1],
        [nan, 0, 0, 1],
        [0, 0, 0, 0],
        [3, 3, 0, 1],
        [4, 3, 0, 1],
        [3, 4, 0, 1],
        [Infinity, 0, 0, 1],
        [0, 0, 0, 1e-30],
      ],
    ])
    const triangles = Int32Array.of(
      0,
      0,
      0,
      0,
      1,
      2,
      0,
      2,
      6,
      7,
      7,
      7,
      8,
      9,
      10,
      0,
      2,
      11,
      7,
      0,
      2,
      3,
      4,
      5,
      12,
      0,
      2,
    )
    const gradient = tf.grad((x: tf.Tensor) => {
      const { barycentrics } = rasterize(x as tf.Tensor3D, triangles, { width: 8, height: 8 })
      return tf.sum(tf.slice(barycentrics, [0, 0, 0, 0], [1, 8, 8, 1]))
    })(clip)
    const { triangleIds, barycentrics, depth } = rasterize(clip, triangles, { width: 8, height: 8 })
    expect([...new Set(await triangleIds.data())]).toEqual([7])
    for (const tensor of [barycentrics, depth, gradient]) {
      expect((await tensor.data()).every((value) => Number.isFinite(value))).toBe(true)
    }
    tf.dispose([clip, gradient, triangleIds, barycentrics, depth])
  })

  it('value: no triangles, no picture of them', async () => {
    const clip = tf.zeros<tf.Rank.R3>([2, 3, 4])
    const { triangleIds, barycentrics, depth } = rasterize(clip, new Int32Array(0), { width: 2, height: 2 })
    expect([...(await triangleIds.data())]).toEqual(Array(8).fill(-1))
    expect([...(await depth.data())]).toEqual(Array(8).fill(1))
    tf.dispose([clip, triangleIds, barycentrics, depth])
  })

  it('value: culling leaves out the back, the front, or neither', async () => {
    const clip = clipFromPixels(
      [
        [0, 0],
        [0, 8],
        [8, 0],
      ],
      4,
      4,
    )
    const first = async (indices: number[], cull: 'none' | 'back' | 'front') => {
      const size = { width: 4, height: 4, cull }
      return (await read(() => rasterize(clip, Int32Array.from(indices), size).triangleIds))[0]
    }
    // Down the left side, then to the upper right: counter-clockwise, the front.
    expect([
      await first([0, 1, 2], 'none'),
      await first([0, 1, 2], 'back'),
      await first([0, 1, 2], 'front'),
    ]).toEqual([0, 0, -1])
    expect([
      await first([0, 2, 1], 'none'),
      await first([0, 2, 1], 'back'),
      await first([0, 2, 1], 'front'),
    ]).toEqual([0, -1, 0])
    clip.dispose()
  })

  it('value: a batch equals its pictures one by one', async () => {
    const mesh = dome(12)
    const one = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
    const two = tf.tidy(() => tf.mul(one, tf.tensor1d([0.7, -1.1, 1, 1])) as tf.Tensor3D)
    const both = tf.concat([one, two], 0)
    const size = { width: 20, height: 14 }
    const batch = rasterize(both, mesh.triangles, size)
    const parts = [one, two].map((clip) => rasterize(clip, mesh.triangles, size))
    for (const key of ['triangleIds', 'barycentrics', 'depth'] as const) {
      const [all, ...each] = await readAll([batch[key], ...parts.map((part) => part[key])])
      expect([...all]).toEqual(each.flatMap((values) => [...values]))
    }
    tf.dispose([one, two, both, ...Object.values(batch), ...parts.flatMap((part) => Object.values(part))])
  })

  it('value: triangles as a tensor', async () => {
    const clip = clipFromPixels(
      [
        [0, 0],
        [0, 8],
        [8, 0],
      ],
      4,
      4,
    )
    const triangles = tf.tensor2d([[0, 1, 2]], [1, 3], 'int32')
    expect((await read(() => rasterize(clip, triangles, { width: 4, height: 4 }).triangleIds))[0]).toBe(0)
    tf.dispose([clip, triangles])
  })

  it('gradient: barycentrics with respect to the vertices, inside of a fixed coverage', async () => {
    const random = createRandom(2)
    const clip = tf.tensor3d(
      [-9, 8, 0.2, 2, -8, -9, 0.1, 3, 12, 1, 0.4, 1.5, 5, 7, -2, -0.5].map((v, i) =>
        i < 12 ? v : v + random.uniform(),
      ),
      [1, 4, 4],
    )
    // The second triangle reaches behind the eye; the pictures are inside of each.
    for (const triangles of [Int32Array.of(0, 1, 2), Int32Array.of(2, 0, 1)]) {
      await checkGradient(
        (x) => rasterize(x as tf.Tensor3D, triangles, { width: 5, height: 4 }).barycentrics,
        [clip],
        { step: 3e-2 },
      )
    }
    clip.dispose()
  })

  it('gradient: of a triangle that reaches behind the eye', async () => {
    const clip = tf.tensor3d([
      [
        [-20, 20, 0, 1],
        [-20, -30, 0, 2],
        [60, 1, -1, -1],
      ],
    ])
    const triangles = Int32Array.of(0, 1, 2)
    const ids = await idsOf(clip, triangles, 5, 5)
    expect(ids.every((id) => id === 0)).toBe(true)
    await checkGradient(
      (x) => rasterize(x as tf.Tensor3D, triangles, { width: 5, height: 5 }).barycentrics,
      [clip],
      { step: 2e-2 },
    )
    clip.dispose()
  })

  it('gradient: none through ids and depth, which may be compared in a loss', () => {
    const clip = clipFromPixels(
      [
        [0, 0],
        [0, 4],
        [4, 0],
      ],
      4,
      4,
    )
    const gradient = tf.grad((x: tf.Tensor) => {
      const { triangleIds, depth, barycentrics } = rasterize(x as tf.Tensor3D, Int32Array.of(0, 1, 2), {
        width: 4,
        height: 4,
      })
      const mask = tf.cast(tf.greaterEqual(triangleIds, 0), 'float32')
      return tf.add(tf.sum(tf.mul(tf.expandDims(mask, 3), tf.square(barycentrics))), tf.sum(tf.round(depth)))
    })(clip)
    expect(gradient.shape).toEqual(clip.shape)
    tf.dispose([clip, gradient])
  })

  it('memory: nothing is left behind', async () => {
    const mesh = dome(8)
    const clip = tf.tensor3d(mesh.clip, [1, mesh.vertexCount, 4])
    await expectNoLeak(() => tf.dispose({ ...rasterize(clip, mesh.triangles, { width: 9, height: 9 }) }))
    await expectNoLeak(() =>
      tf
        .grad((x: tf.Tensor) =>
          tf.sum(
            tf.square(rasterize(x as tf.Tensor3D, mesh.triangles, { width: 9, height: 9 }).barycentrics),
          ),
        )(clip)
        .dispose(),
    )
    clip.dispose()
  })

  it('throws: wrong shapes, types, sizes and indices', () => {
    const clip = tf.zeros<tf.Rank.R3>([1, 3, 4])
    const size = { width: 4, height: 4 }
    const flat = tf.zeros([3, 4])
    const integers = tf.zeros<tf.Rank.R3>([1, 3, 4], 'int32')
    expect(() => rasterize(flat as tf.Tensor3D, Int32Array.of(0, 1, 2), size)).toThrow(ShapeError)
    expect(() => rasterize(integers, Int32Array.of(0, 1, 2), size)).toThrow(ShapeError)
    expect(() => rasterize(clip, Int32Array.of(0, 1), size)).toThrow(ShapeError)
    expect(() => rasterize(clip, flat as tf.Tensor2D, size)).toThrow(ShapeError)
    expect(() => rasterize(clip, Int32Array.of(0, 1, 3), size)).toThrow(ValueError)
    expect(() => rasterize(clip, Int32Array.of(0, 1, -1), size)).toThrow(ValueError)
    expect(() => rasterize(clip, Int32Array.of(0, 1, 2), { width: 0, height: 4 })).toThrow(ValueError)
    expect(() => rasterize(clip, Int32Array.of(0, 1, 2), { width: 2.5, height: 4 })).toThrow(ValueError)
    expect(() => rasterize(clip, Int32Array.of(0, 1, 2), { width: 1e9, height: 4 })).toThrow(ValueError)
    expect(() => rasterize(clip, Int32Array.of(0, 1, 2), { ...size, cull: 'left' as 'back' })).toThrow(
      ValueError,
    )
    tf.dispose([clip, flat, integers])
  })
})
