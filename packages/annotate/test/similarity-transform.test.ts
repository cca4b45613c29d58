import ndarray from 'ndarray'
import { describe, expect, it } from 'vitest'
import { createRandom, ShapeError, ValueError } from '@facekit/core'
import {
  applyTransform,
  composeTransforms,
  estimateSimilarity,
  invertTransform,
  type Points,
  type SimilarityTransform,
} from '@facekit/annotate'

const random = createRandom(3)
const cloud = (count: number): Points =>
  ndarray(
    Float32Array.from({ length: count * 2 }, () => random.uniform(0, 100)),
    [count, 2],
  )
const someTransform = (): SimilarityTransform => ({
  scale: random.uniform(0.1, 5),
  rotation: random.uniform(-3, 3),
  translation: [random.uniform(-50, 50), random.uniform(-50, 50)],
})

describe('estimateSimilarity', () => {
  it('value: the example of the documentation', () => {
    const square = ndarray(new Float32Array([0, 0, 1, 0, 1, 1, 0, 1]), [4, 2])
    const larger = ndarray(new Float32Array([5, 0, 7, 0, 7, 2, 5, 2]), [4, 2])
    expect(estimateSimilarity(square, larger)).toEqual({ scale: 2, rotation: 0, translation: [5, 0] })
  })

  it('value: finds any similarity again', () => {
    for (let trial = 0; trial < 50; trial++) {
      const transform = someTransform()
      const points = cloud(2 + (trial % 10))
      const found = estimateSimilarity(points, applyTransform(transform, points))
      expect(found.scale).toBeCloseTo(transform.scale, 4)
      expect(found.rotation).toBeCloseTo(transform.rotation, 4)
      expect(found.translation[0]).toBeCloseTo(transform.translation[0], 2)
      expect(found.translation[1]).toBeCloseTo(transform.translation[1], 2)
    }
  })

  it('value: no neighbour of the found similarity is nearer (least squares), and it never mirrors', () => {
    const from = cloud(7)
    const to = cloud(7)
    const error = (transform: SimilarityTransform) => {
      const moved = applyTransform(transform, from)
      return moved.data.reduce((sum, value, i) => sum + (value - to.data[i]) ** 2, 0)
    }
    const best = estimateSimilarity(from, to)
    const least = error(best)
    for (let trial = 0; trial < 200; trial++) {
      const near: SimilarityTransform = {
        scale: best.scale * (1 + random.normal(0, 0.02)),
        rotation: best.rotation + random.normal(0, 0.02),
        translation: [best.translation[0] + random.normal(), best.translation[1] + random.normal()],
      }
      expect(error(near)).toBeGreaterThanOrEqual(least - 0.05)
    }
    expect(best.scale).toBeGreaterThan(0)
  })

  it('value: a point of weight 0 does not count', () => {
    const transform = someTransform()
    const from = cloud(6)
    const to = applyTransform(transform, from)
    to.set(2, 0, 1e4)
    const found = estimateSimilarity(from, to, [1, 1, 0, 1, 1, 1])
    expect(found.scale).toBeCloseTo(transform.scale, 4)
  })

  it('throws: wrong shapes, coinciding points, NaN', () => {
    expect(() => estimateSimilarity(cloud(3), cloud(4))).toThrow(ShapeError)
    const same = ndarray(new Float32Array(10).fill(7), [5, 2])
    expect(() => estimateSimilarity(same, cloud(5))).toThrow(ValueError)
    const nan = ndarray(new Float32Array(10).fill(NaN), [5, 2])
    expect(() => estimateSimilarity(nan, cloud(5))).toThrow(/expected finite points/)
  })
})

describe('transforms', () => {
  it('value: the inverse undoes', () => {
    for (let trial = 0; trial < 20; trial++) {
      const transform = someTransform()
      const points = cloud(5)
      const back = applyTransform(invertTransform(transform), applyTransform(transform, points))
      back.data.forEach((value, i) => expect(value).toBeCloseTo(points.data[i], 2))
    }
  })

  it('value: a composition applies the first, then the second', () => {
    const [first, second] = [someTransform(), someTransform()]
    const points = cloud(5)
    const twice = applyTransform(second, applyTransform(first, points))
    const once = applyTransform(composeTransforms(first, second), points)
    once.data.forEach((value, i) => expect(value).toBeCloseTo(twice.data[i], 2))
  })

  it('throws: points that are not [L, 2]', () => {
    const wrong = ndarray(new Float32Array(9), [3, 3])
    expect(() => applyTransform(someTransform(), wrong)).toThrow(ShapeError)
  })
})
