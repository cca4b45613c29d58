import { createFaceTracker, fitDenseLandmarks, smoothTrack, type TrackedFace } from '@facekit/fit'
import { createTinyFace } from '@facekit/testing'
import { createRandom, ValueError } from '@facekit/core'
import { describe, expect, it } from 'vitest'
import { denseFace, randomState, seeDense } from './dense-face.js'

const model = denseFace()
const { identity: ki } = model.layout
const same = { scale: 1, rotation: 0, translation: [0, 0] as [number, number] }
const identityOf = (state: Float64Array) => state.subarray(8, 8 + ki)
const rms = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return Math.sqrt((2 * sum) / a.length)
}

describe('createFaceTracker', () => {
  it('value: follows pose and expression of a known person', () => {
    const truth = randomState(model, 3)
    const tracker = createFaceTracker(model, { identity: identityOf(truth), transform: same })
    let previous: TrackedFace | undefined
    for (let i = 0; i < 6; i++) {
      const state = Float64Array.from(truth)
      state[1] += 0.06 * i
      state[8 + ki] = Math.min(1, 0.15 * i)
      const face = tracker.fit(seeDense(model, state, [0.02, 0.02], i), previous)
      expect(face.rotation[1]).toBeCloseTo(state[1], 2)
      expect(Math.abs(face.expression[0] - state[8 + ki])).toBeLessThan(0.1)
      expect(face.misfit).toBeLessThan(2)
      const perfect = tracker.landmarks({
        ...face,
        rotation: [state[0], state[1], state[2]],
        translation: [state[3], state[4], state[5]],
        scale: Math.exp(state[6]),
        expression: Float32Array.from(state.subarray(8 + ki)),
      })
      expect(rms(tracker.landmarks(face), perfect)).toBeLessThan(0.2)
      previous = face
    }
  })

  it('value: pixels of pictures of another size, shifted', () => {
    const truth = randomState(model, 4)
    const seen = seeDense(model, truth, [0.02, 0.02], 1)
    const transform = { scale: 0.5, rotation: 0, translation: [-20, 10] as [number, number] }
    const tracker = createFaceTracker(model, { identity: identityOf(truth), transform })
    const large = (values: Float32Array) => values.map((value) => 2 * value)
    const positions = { ...seen.positions }
    const moved = seen.positions.data.map((value, i) => 2 * (value - [-20, 10][i & 1]))
    const dense = {
      ...seen,
      positions: Object.assign(Object.create(Object.getPrototypeOf(seen.positions)), positions, {
        data: moved,
      }),
      deviations: large(seen.deviations),
      depths: large(seen.depths),
      depthDeviations: large(seen.depthDeviations),
    }
    const face = tracker.fit(dense)
    expect(face.rotation[1]).toBeCloseTo(truth[1], 2)
    const points = tracker.points(face)
    for (let i = 0; i < 136; i++) expect(Math.abs(points.positions.data[i] - moved[i])).toBeLessThan(1)
    expect(Math.abs(points.depths[30] - dense.depths[30])).toBeLessThan(1)
  })

  it('throws: a model without dense landmarks', () => {
    const tiny = createTinyFace()
    const options = { identity: new Float32Array(tiny.layout.identity), transform: same }
    expect(() => createFaceTracker(tiny, options)).toThrow(ValueError)
  })
})

describe('smoothTrack', () => {
  const random = createRandom(1)
  const tracker = createFaceTracker(model, { identity: new Float32Array(ki), transform: same })
  const faceAt = (yaw: number): TrackedFace => ({
    rotation: [0, yaw, 0],
    translation: [random.normal(0, 0.1), random.normal(0, 0.1), 0],
    scale: 1,
    expression: new Float32Array(model.layout.expression),
    misfit: 1,
  })
  const calm = (faces: readonly (TrackedFace | undefined)[]) =>
    smoothTrack(
      faces,
      faces.map((face) => face && tracker.landmarks(face)),
      1,
    )
  const jitter = (faces: readonly (TrackedFace | undefined)[]) => {
    const seen = faces.map((face) => tracker.landmarks(face!))
    return seen.slice(1).reduce((sum, points, i) => sum + rms(points, seen[i]) / (seen.length - 1), 0)
  }

  it('value: a face at rest trembles less than half as much', () => {
    const faces = Array.from({ length: 30 }, () => faceAt(0.1))
    expect(jitter(calm(faces))).toBeLessThan(0.5 * jitter(faces))
  })

  it('value: a sudden turn stays as sudden, and what was lost stays lost', () => {
    const faces = Array.from({ length: 20 }, (_, i) => (i === 15 ? undefined : faceAt(i < 10 ? 0 : 0.5)))
    const smooth = calm(faces)
    expect(smooth[9]!.rotation[1]).toBeCloseTo(0, 3)
    expect(smooth[10]!.rotation[1]).toBeCloseTo(0.5, 3)
    expect(smooth[15]).toBeUndefined()
  })
})

describe('fitDenseLandmarks and the tracker', () => {
  it('value: agree on a single picture', () => {
    const truth = randomState(model, 8)
    const seen = seeDense(model, truth, [0.3, 0.3], 8)
    const whole = fitDenseLandmarks(seen, model, {
      identity: { mean: identityOf(truth), deviations: new Float64Array(ki).fill(1e-3) },
    })
    const tracker = createFaceTracker(model, { identity: identityOf(truth), transform: same })
    const face = tracker.fit(seen)
    face.rotation.forEach((angle, i) => expect(angle).toBeCloseTo(whole.rotation[i], 2))
    face.expression.forEach((value, k) => expect(Math.abs(value - whole.expression[k])).toBeLessThan(0.05))
  })
})
