import * as tf from '@tensorflow/tfjs-core'
import { createTopology } from '@facekit/mesh'
import { type TextureWrap, antialias, interpolate, rasterize, sampleTexture } from '@facekit/rasterizer'
import { useBackend } from '@facekit/testing'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { describeBackends, read, readAll, webgpu } from './backends.js'
import { exactIds } from './exact-ids.js'
import { referenceVisibility } from './reference.js'

// The same scenes in each run, unless FC_SEED names others; a failure prints the smallest scene that fails and its seed.
const seed = Number(process.env.FC_SEED ?? 20261122)
const runs = (backend: string, count: number) => ({
  seed,
  numRuns: backend === 'webgpu' ? count >> 4 : count,
})

const size = 16
const picture = { width: size, height: size }

/** Corners at sixteenths of pixels, on and off the picture, so that many are on centres of pixels or edges go through them. */
const gridPoint = fc.tuple(fc.integer({ min: -64, max: 320 }), fc.integer({ min: -64, max: 320 }))
const centerPoint = gridPoint.map(([x, y]): [number, number] => [(x >> 3) * 8, (y >> 3) * 8])
const points = fc.array(fc.oneof(gridPoint, centerPoint), { minLength: 3, maxLength: 9 })
const indexed = <T>(corners: fc.Arbitrary<T[]>, maxLength: number) =>
  corners.chain((list) =>
    fc.record({
      corners: fc.constant(list),
      triangles: fc.array(fc.tuple(...[0, 1, 2].map(() => fc.nat({ max: list.length - 1 }))), {
        minLength: 1,
        maxLength,
      }),
    }),
  )

/** Clip coordinates of any size and sign, some of them special. */
const anyNumber = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, 1e-30, -1e-30, 1e20, -1e20, 3e38, 1e-45) },
)
const wildVertex = fc.tuple(anyNumber, anyNumber, anyNumber, anyNumber)
const wildScene = indexed(fc.array(wildVertex, { minLength: 3, maxLength: 8 }), 10)

/** Vertices in front of and behind an eye with near at 0.5 and far at 6. */
const place = (bound: number) => fc.integer({ min: -bound * 100, max: bound * 100 }).map((v) => v / 100)
const worldVertex = fc
  .tuple(
    place(4),
    place(4),
    fc.integer({ min: -800, max: 300 }).map((v) => v / 100),
  )
  .map(([x, y, z]) => [x, y, (-6.5 * z - 6) / 5.5, -z])
const worldScene = indexed(fc.array(worldVertex, { minLength: 3, maxLength: 9 }), 6)

interface WildScene {
  corners: number[][]
  triangles: number[][]
}

/** Everything that is made of a scene, gradients as well. */
async function renderAll({ corners, triangles }: WildScene): Promise<Float32Array[]> {
  const indices = Int32Array.from(triangles.flat())
  const clip = tf.tensor3d([corners])
  const topology = createTopology(indices, corners.length)
  const colors = tf.tensor3d([corners.map((_, i) => [Math.sin(i), Math.cos(3 * i)])])
  const fragments = rasterize(clip, indices, picture)
  const render = (x: tf.Tensor, c: tf.Tensor) => {
    const seen = rasterize(x as tf.Tensor3D, indices, picture)
    return antialias(interpolate(c as tf.Tensor3D, seen, indices), seen, x as tf.Tensor3D, topology)
  }
  const upstream = tf.tensor4d(
    Float32Array.from({ length: size * size * 2 }, (_, i) => Math.sin(i)),
    [1, size, size, 2],
  )
  const { value, grads } = tf.valueAndGrads(render)([clip, colors], upstream)
  const { triangleIds, depth, barycentrics } = fragments
  const tensors = [triangleIds, depth, barycentrics, value, ...grads]
  const values = await readAll(tensors)
  tf.dispose([clip, colors, upstream, ...tensors])
  return values
}

describeBackends('random scenes', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: shared edges, ties and corners on centres, against exact arithmetic', async () => {
    await fc.assert(
      fc.asyncProperty(indexed(points, 8), async ({ corners, triangles }) => {
        const clip = tf.tensor3d([corners.map(([x, y]) => [x / 128 - 1, 1 - y / 128, 0, 1])])
        const indices = Int32Array.from(triangles.flat())
        const ids = await read(() => rasterize(clip, indices, picture).triangleIds)
        clip.dispose()
        expect([...ids]).toEqual(exactIds(corners, indices, size, size, 16))
      }),
      runs(backend, 160),
    )
  })

  it('value: triangles around the eye, against rays', async () => {
    await fc.assert(
      fc.asyncProperty(worldScene, async ({ corners, triangles }) => {
        const clip = tf.tensor3d([corners])
        const indices = Int32Array.from(triangles.flat())
        const fragments = rasterize(clip, indices, picture)
        const [ids, depth, vertices] = await readAll([fragments.triangleIds, fragments.depth, clip])
        tf.dispose([clip, ...Object.values(fragments)])
        for (let q = 0; q < size * size; q++) {
          const [px, py] = [(q % size) + 0.5, Math.floor(q / size) + 0.5]
          const at = (dx: number, dy: number) =>
            referenceVisibility(vertices, indices, px + dx, py + dy, size, size)
          const expected = at(0, 0)
          if (ids[q] === expected.id && Math.abs(depth[q] - expected.depth) < 1e-4) continue
          // Otherwise it is an edge, a surface seen edge-on, or two at one depth: there another is next to the pixel's centre.
          const near = [at(-1e-4, 0), at(1e-4, 0), at(0, -1e-4), at(0, 1e-4)]
          const fits = near.some(
            ({ id, depth: d }) => id === ids[q] || (id >= 0 && Math.abs(d - depth[q]) < 1e-4),
          )
          expect({ q, fits, id: ids[q], expected }).toMatchObject({ fits: true })
        }
      }),
      runs(backend, 120),
    )
  })

  it('value: nothing is NaN or infinite, whatever the vertices; gradients neither', async () => {
    await fc.assert(
      fc.asyncProperty(wildScene, async (scene) => {
        const [ids, depth, barycentrics, image, vertexGradient, colorGradient] = await renderAll(scene)
        for (const values of [depth, barycentrics, image, colorGradient]) {
          expect(values.every((value) => Number.isFinite(value))).toBe(true)
        }
        // It may overflow: 1e-45 as a w is a slope of 1e45. On webgpu such a one makes all of them NaN, as documented.
        const nan = vertexGradient.findIndex((value) => Number.isNaN(value))
        expect(backend === 'webgpu' ? -1 : nan).toBe(-1)
        ids.forEach((id, q) => {
          expect(id).toBeLessThan(scene.triangles.length)
          expect(Math.abs(depth[q])).toBeLessThanOrEqual(1)
          const sum = barycentrics[3 * q] + barycentrics[3 * q + 1] + barycentrics[3 * q + 2]
          expect(Math.abs(sum - (id < 0 ? 0 : 1))).toBeLessThan(1e-3)
        })
      }),
      runs(backend, 160),
    )
  })

  it('value: of thousands of triangles in one pixel the nearest is seen', async () => {
    const count = backend === 'webgpu' ? 2000 : 20000
    const clip = new Float32Array(12 * count)
    let [best, nearest] = [-1, 1]
    for (let f = 0; f < count; f++) {
      const z = Math.fround(Math.sin(f * f) * 0.99)
      if (z < nearest) [best, nearest] = [f, z]
      // Around the centre of pixel (5, 9), a hundredth of a pixel to one pixel wide.
      const reach = 0.01 + 0.4 * Math.abs(Math.sin(f))
      for (let k = 0; k < 3; k++) {
        const angle = f + (2 * Math.PI * k) / 3
        const [x, y] = [5.5 + reach * Math.cos(angle), 9.5 + reach * Math.sin(angle)]
        clip.set([x / 8 - 1, 1 - y / 8, z, 1], 12 * f + 4 * k)
      }
    }
    const triangles = Int32Array.from({ length: 3 * count }, (_, i) => i)
    const vertices = tf.tensor3d(clip, [1, 3 * count, 4])
    const ids = await read(() => rasterize(vertices, triangles, picture).triangleIds)
    const gradient = tf.grad((x: tf.Tensor) =>
      tf.sum(tf.square(rasterize(x as tf.Tensor3D, triangles, picture).barycentrics)),
    )(vertices)
    const slopes = await gradient.data()
    expect(ids[9 * size + 5]).toBe(best)
    expect(ids.filter((id) => id >= 0).length).toBe(1)
    expect(slopes.every((slope) => Number.isFinite(slope))).toBe(true)
    tf.dispose([vertices, gradient])
  })

  it('value: fans that reach out a million pixels are drawn once', async () => {
    const fan = fc.array(fc.tuple(fc.nat({ max: 999 }), fc.integer({ min: 2, max: 6 })), {
      minLength: 3,
      maxLength: 7,
    })
    await fc.assert(
      fc.asyncProperty(fan, async (spokes) => {
        const angles = [...new Set(spokes.map(([angle]) => angle))].sort((a, b) => a - b)
        const turns = angles.map((angle, i) => (angles[(i + 1) % angles.length] - angle + 1000) % 1000)
        fc.pre(angles.length >= 3 && turns.every((turn) => turn > 0 && turn < 450))
        const corners = angles.map((angle, i) => {
          const radius = 10 ** spokes[i][1]
          const [x, y] = [Math.cos(angle * 0.002 * Math.PI), Math.sin(angle * 0.002 * Math.PI)]
          return [radius * x, radius * y, 0, 1]
        })
        const clip = tf.tensor3d([[[0.0625, 0.0625, 0, 1], ...corners]])
        const hits = new Int32Array(size * size)
        for (let i = 0; i < corners.length; i++) {
          const one = Int32Array.of(0, 1 + i, 1 + ((i + 1) % corners.length))
          const ids = await read(() => rasterize(clip, one, picture).triangleIds)
          ids.forEach((id, q) => {
            if (id === 0) hits[q]++
          })
        }
        clip.dispose()
        expect([...new Set(hits)]).toEqual([1])
      }),
      runs(backend, 40),
    )
  })

  it('value: textures of any size keep their range, and their gradient its sum', async () => {
    const wraps: TextureWrap[] = ['clamp', 'repeat', 'mirror']
    const side = fc.integer({ min: 1, max: 19 })
    const look = fc.record({
      rows: side,
      columns: side,
      wrap: fc.constantFrom(...wraps),
      filter: fc.constantFrom('bilinear' as const, 'trilinear' as const),
      slope: fc.float({ min: 0, max: 4, noNaN: true }),
      uv: fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 8, maxLength: 8 }),
    })
    await fc.assert(
      fc.asyncProperty(look, async ({ rows, columns, wrap, filter, slope, uv }) => {
        const texture = tf.tensor4d(
          Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i)),
          [1, rows, columns, 1],
        )
        const places = tf.tensor4d(uv, [1, 2, 2, 2])
        const uvDerivatives = tf.mul<tf.Tensor4D>(tf.ones([1, 2, 2, 4]), slope)
        const sample = (t: tf.Tensor) =>
          sampleTexture(t as tf.Tensor4D, places, { wrap, filter, uvDerivatives })
        const { value, grad } = tf.valueAndGrad((t: tf.Tensor) => tf.sum(tf.mul(sample(t), 1)) as tf.Scalar)(
          texture,
        )
        const [values, texels, slopes] = await readAll([sample(texture), texture, grad])
        tf.dispose([texture, places, uvDerivatives, value, grad])
        expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.min(...texels) - 1e-5)
        expect(Math.max(...values)).toBeLessThanOrEqual(Math.max(...texels) + 1e-5)
        expect(slopes.reduce((a, b) => a + b, 0)).toBeCloseTo(4, 3)
      }),
      runs(backend, 80),
    )
  })
})

describe('random scenes on two backends', () => {
  const onBoth = async (first: string, second: string, scene: WildScene) => {
    await useBackend(first)
    const expected = await renderAll(scene)
    await useBackend(second)
    return [expected, await renderAll(scene)]
  }

  it('value: cpu and wasm give the same bits, gradients as well', async () => {
    for (const scenes of [worldScene, wildScene]) {
      await fc.assert(
        fc.asyncProperty(scenes, async (scene) => {
          const [onCpu, onWasm] = await onBoth('cpu', 'wasm', scene)
          expect(onWasm).toEqual(onCpu)
        }),
        { seed, numRuns: 60 },
      )
    }
  })

  it.skipIf(!webgpu)('value: webgpu agrees with cpu but on edges', async () => {
    await fc.assert(
      fc.asyncProperty(worldScene, async (scene) => {
        const [onCpu, onGpu] = await onBoth('cpu', 'webgpu', scene)
        const [ids, otherIds] = [onCpu[0], onGpu[0]]
        // Of two surfaces at one depth either may be seen; else a centre must be on an edge, but for rounding.
        const tied = (q: number) => Math.abs(onCpu[1][q] - onGpu[1][q]) < 1e-4
        const different = ids.filter((id, q) => id !== otherIds[q] && !tied(q)).length
        expect(different).toBeLessThanOrEqual(2)
        for (const k of [1, 2]) {
          const stride = onCpu[k].length / ids.length
          const differences = onCpu[k].map((value, i) => {
            const q = Math.floor(i / stride)
            return ids[q] === otherIds[q] ? Math.abs(value - onGpu[k][i]) : 0
          })
          expect(Math.max(...differences)).toBeLessThan(1e-4)
        }
      }),
      { seed, numRuns: 12 },
    )
  })
})
