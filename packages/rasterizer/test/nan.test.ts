import * as tf from '@tensorflow/tfjs-core'
import { createTopology } from '@facekit/mesh'
import { antialias, interpolate, interpolateDerivatives, rasterize, sampleTexture } from '@facekit/rasterizer'
import { useBackend } from '@facekit/testing'
import { beforeAll, expect, it } from 'vitest'
import { describeBackends, readAll } from './backends.js'

// A NaN that disappears hides what is wrong with a model: it must come out of every kernel that reads it.

const SIZE = { width: 6, height: 5 }
const PIXELS = SIZE.width * SIZE.height
/** Covers the middle of the picture. */
const CLIP = [-0.8, 0.9, 0, 1, -0.7, -0.8, 0.1, 1, 0.9, 0.2, 0, 1]
const triangles = Int32Array.of(0, 1, 2)
/** A pixel of the triangle. */
const INSIDE = 2 * SIZE.width + 2

const clipVertices = () => tf.tensor3d(CLIP, [1, 3, 4])
const numbers = (length: number, replaced: Readonly<Record<number, number>> = {}) =>
  Float32Array.from({ length }, (_, i) => replaced[i] ?? Math.sin(i + 1))

/** Places of what is not a number. */
const nans = (values: ArrayLike<number>) =>
  Array.from(values, (value, i) => (Number.isNaN(value) ? i : -1)).filter((i) => i >= 0)

describeBackends('NaN', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: through interpolate and interpolateDerivatives, in its channel', async () => {
    const clip = clipVertices()
    const fragments = rasterize(clip, triangles, SIZE)
    const attributes = tf.tensor2d(numbers(6, { 2: NaN }), [3, 2])
    const [ids, picture, slopes] = await readAll([
      fragments.triangleIds,
      interpolate(attributes, fragments, triangles),
      interpolateDerivatives(attributes, fragments, clip, triangles),
    ])
    const covered = Array.from(ids, (id, q) => (id >= 0 ? q : -1)).filter((q) => q >= 0)
    expect(covered).toContain(INSIDE)
    expect(nans(picture)).toEqual(covered.map((q) => 2 * q))
    expect(nans(slopes)).toEqual(covered.flatMap((q) => [4 * q, 4 * q + 1]))
  })

  it('gradient: through interpolate and rasterize', async () => {
    const loss = (clip: tf.Tensor, attributes: tf.Tensor) => {
      const fragments = rasterize(clip as tf.Tensor3D, triangles, SIZE)
      return interpolate(attributes as tf.Tensor3D, fragments, triangles)
    }
    const upstream = tf.tensor4d(numbers(2 * PIXELS, { [2 * INSIDE + 1]: NaN }), [1, 5, 6, 2])
    const attributes = tf.tensor3d(numbers(6), [1, 3, 2])
    const [toClip, toAttributes] = await readAll(tf.grads(loss)([clipVertices(), attributes], upstream))
    expect(nans(toClip)).toEqual([0, 1, 3, 4, 5, 7, 8, 9, 11])
    expect(nans(toAttributes)).toEqual([1, 3, 5])
  })

  it('value: through antialias, and back to the picture and the outline', async () => {
    const topology = createTopology(triangles, 3)
    const fragments = rasterize(clipVertices(), triangles, SIZE)
    const smooth = (clip: tf.Tensor, image: tf.Tensor) =>
      antialias(image as tf.Tensor4D, fragments, clip as tf.Tensor3D, topology)
    const picture = (replaced: Readonly<Record<number, number>>) =>
      tf.tensor4d(numbers(PIXELS, replaced), [1, 5, 6, 1])
    const [clean] = await readAll([smooth(clipVertices(), picture({}))])
    const changed = clean.findIndex((value, q) => value !== Math.fround(Math.sin(q + 1)))
    expect(changed).toBeGreaterThan(0)
    const [dirty] = await readAll([smooth(clipVertices(), picture({ [changed]: NaN }))])
    expect(nans(dirty)).toContain(changed)
    const gradients = tf.grads(smooth)([clipVertices(), picture({})], picture({ [changed]: NaN }))
    const [toClip, toImage] = await readAll(gradients)
    expect(nans(toImage)).toContain(changed)
    // Both ends of the edge that crosses there.
    expect(nans(toClip).length).toBeGreaterThanOrEqual(6)
  })

  it.each(['bilinear', 'trilinear'] as const)('value: through %s look-ups', async (filter) => {
    const uv = [0.3, 0.4, 0.6, 0.7, NaN, 0.5]
    const uvDerivatives = tf.fill<tf.Rank.R4>([1, 1, 3, 4], 0.4)
    const look = (texture: tf.Tensor, places: tf.Tensor) =>
      sampleTexture(texture as tf.Tensor4D, places as tf.Tensor4D, { filter, uvDerivatives })
    const texture = (replaced: Readonly<Record<number, number>>) =>
      tf.tensor4d(numbers(2 * 16, replaced), [1, 4, 4, 2])
    const places = tf.tensor4d(uv, [1, 1, 3, 2])
    const everywhere = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [2 * i, NaN]))
    const [picture] = await readAll([look(texture(everywhere), places)])
    expect(nans(picture)).toEqual([0, 2, 4, 5])
    const upstream = tf.tensor4d(numbers(6, { 3: NaN }), [1, 1, 3, 2])
    const [toTexture, toPlaces] = await readAll(tf.grads(look)([texture({}), places], upstream))
    expect(nans(toPlaces)).toEqual([2, 3, 4, 5])
    expect(nans(toTexture).length).toBeGreaterThanOrEqual(4)
    expect(nans(toTexture).every((i) => i % 2 === 1)).toBe(true)
  })
})
