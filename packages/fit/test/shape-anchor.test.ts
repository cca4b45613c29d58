import { fitPhotographs } from '@facekit/fit'
import { defaultCamera } from '@facekit/render'
import { useBackend } from '@facekit/testing'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'
import { faceUnknowns } from '../src/face-unknowns.js'
import { choleskyFactor, choleskySolve } from '../src/landmarks/cholesky.js'
import { shapeAnchor } from '../src/shape-anchor.js'
import { denseFace, randomState, seeDense } from './dense-face.js'

const model = denseFace()
const { identity: ki, expression: ke } = model.layout
const WEIGHT = 1e-3

/** What landmarks of one picture say. */
function posteriorOfPicture() {
  const denseLandmarks = seeDense(model, randomState(model, 5), [0.5, 0.5], 5)
  const image = ndarray(new Float32Array(3), [1, 1, 3])
  const transform = { scale: 1, rotation: 0, translation: [0, 0] as [number, number] }
  const alignment = { size: 224, transform, image, landmarks: denseLandmarks.landmarks }
  return fitPhotographs([{ alignment, denseLandmarks }], model, defaultCamera).posterior
}

describe('shapeAnchor', () => {
  beforeAll(() => useBackend('wasm'))

  it('value: identity may go where pose and expression can follow; where they stay behind, or leave alone, it costs much more', () => {
    const posterior = posteriorOfPicture()
    const { precision, size } = posterior
    const unknowns = faceUnknowns(model.layout, 1)
    const values = new Float64Array(unknowns.size)
    const anchor = shapeAnchor(unknowns, values, posterior, model, 1, WEIGHT)
    const rest = size - ki
    const names = ['rotation', 'translation', 'scale', 'expression'] as const
    const places = [
      ...Array.from({ length: ki }, (_, k) => unknowns.range('identity')[0] + k),
      ...names.flatMap((name) => {
        const [start, end] = unknowns.range(name, 0)
        return Array.from({ length: end - start }, (_, i) => start + i)
      }),
    ]
    expect(places).toHaveLength(size)
    const lossOf = (move: Float64Array) => {
      const moved = Float64Array.from(values)
      places.forEach((place, k) => (moved[place] += move[k]))
      return anchor.enter(moved, new Float64Array(unknowns.size))
    }
    const quadratic = (move: Float64Array) => {
      let sum = 0
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) sum += move[i] * precision[i * size + j] * move[j]
      return (WEIGHT / 2) * sum
    }
    const stays = new Float64Array(size)
    stays[0] = 1
    // The best that the others can do: -P_ee^-1 P_ei.
    const block = Float64Array.from(
      { length: rest * rest },
      (_, i) => precision[(ki + Math.floor(i / rest)) * size + ki + (i % rest)],
    )
    const right = Float64Array.from({ length: rest }, (_, i) => -precision[(ki + i) * size])
    const follows = Float64Array.from(stays)
    follows.set(choleskySolve(choleskyFactor(block, rest)!, rest, right), ki)
    const alone = new Float64Array(size)
    alone[size - ke] = 0.1
    // Where all follow it costs what landmarks say of identity; whatever else counts thirty times.
    expect(lossOf(follows) / quadratic(follows)).toBeCloseTo(1, 5)
    expect(lossOf(alone) / quadratic(alone)).toBeCloseTo(30, 4)
    const behind = lossOf(stays) - lossOf(follows)
    expect(behind / (quadratic(stays) - quadratic(follows))).toBeCloseTo(30, 3)
    expect(behind).toBeGreaterThan(0)
  })

  it('value: gradients are those of the loss, in independent units', () => {
    const posterior = posteriorOfPicture()
    const unknowns = faceUnknowns(model.layout, 1)
    const values = new Float64Array(unknowns.size)
    // Within their range, from which steps are not taken out.
    values.fill(0.5, ...unknowns.range('expression', 0))
    const anchor = shapeAnchor(unknowns, values, posterior, model, 1, WEIGHT)
    const before = values.map((value, i) => value + 0.02 * Math.sin(i))
    const gradient = new Float64Array(unknowns.size)
    const loss = anchor.enter(before, gradient)
    // A small step along a unit changes the loss by the gradient of that unit.
    const [place] = unknowns.range('identity')
    const after = Float64Array.from(before)
    after[place] += 1e-3
    anchor.leave(before, after)
    const change = anchor.enter(after, new Float64Array(unknowns.size)) - loss
    expect(change / 1e-3 / gradient[place]).toBeCloseTo(1, 2)
  })
})
