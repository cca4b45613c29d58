import { fitPhotographs } from '@facekit/fit'
import { defaultCamera } from '@facekit/render'
import { useBackend } from '@facekit/testing'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { denseFace, randomState, seeDense } from './dense-face.js'

const model = denseFace()
const upright = { scale: 1, rotation: 0, translation: [0, 0] as [number, number] }
const first = model.layout.identity

/** A face as `annotate` describes it, in a crop that is the picture. */
function seenFace(state: Float64Array, seed: number) {
  const denseLandmarks = seeDense(model, state, [0.5, 0.5], seed)
  const image = ndarray(new Float32Array(3 * 224 ** 2), [224, 224, 3])
  const { landmarks } = denseLandmarks
  return { alignment: { size: 224, transform: upright, image, landmarks }, denseLandmarks }
}

describe('fitPhotographs', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: with a share, identity lies so far from the landmarks to what was expected', () => {
    const truth = randomState(model, 5)
    const face = seenFace(truth, 5)
    const expected = Float64Array.from({ length: first }, (_, k) => truth[8 + k] + (k % 2 ? 0.4 : -0.4))
    const alone = fitPhotographs([face], model, defaultCamera)
    const mixed = fitPhotographs([face], model, defaultCamera, { expected, share: 0.75 })
    mixed.posterior.identity.forEach((value, k) =>
      expect(value).toBeCloseTo(0.25 * alone.posterior.identity[k] + 0.75 * expected[k], 6),
    )
    mixed.fits[0].identity.forEach((value, k) => expect(value).toBeCloseTo(mixed.posterior.identity[k], 5))
  })

  it('value: pose and expression follow that identity, so that points stay where they are seen', () => {
    const truth = randomState(model, 6)
    const face = seenFace(truth, 6)
    const expected = Float64Array.from({ length: first }, (_, k) => truth[8 + k] + (k % 2 ? 0.5 : -0.5))
    const alone = fitPhotographs([face], model, defaultCamera).fits[0]
    const mixed = fitPhotographs([face], model, defaultCamera, { expected, share: 1 }).fits[0]
    // The pose of another identity would put the same points elsewhere.
    expect(mixed.translation).not.toEqual(alone.translation)
    const right = fitPhotographs([face], model, defaultCamera, {
      expected: truth.slice(8, 8 + first),
      share: 1,
    }).fits[0]
    expect(right.meanDistance).toBeLessThan(1.2)
    expect(right.meanDistance).toBeLessThan(mixed.meanDistance)
  })

  it('value: of several photographs the common identity is what is mixed', () => {
    const truth = randomState(model, 7)
    const other = Float64Array.from(truth)
    other[1] += 0.4
    const faces = [seenFace(truth, 7), seenFace(other, 8)]
    const expected = new Float64Array(first).fill(0.3)
    const seen = fitPhotographs(faces, model, defaultCamera).posterior.identity
    const { fits, posterior } = fitPhotographs(faces, model, defaultCamera, { expected, share: 0.5 })
    posterior.identity.forEach((value, k) => expect(value).toBeCloseTo((seen[k] + 0.3) / 2, 6))
    expect(fits[1].identity).toEqual(fits[0].identity)
    expect(fits[1].rotation[1] - fits[0].rotation[1]).toBeCloseTo(0.4, 1)
  })
})
