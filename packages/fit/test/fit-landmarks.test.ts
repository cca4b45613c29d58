import { createTinyFace, testBackends, useBackend } from '@facekit/testing'
import { neutralParameters } from '@facekit/parameters'
import { fitLandmarks } from '@facekit/fit'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace()

/** Landmarks of a face with known parameters, as the renderer projects them. */
async function landmarksOf(
  rotation: number[],
  translation: number[],
  scale: number,
  expression: number[] = [],
) {
  const neutral = neutralParameters(model.layout)
  const coefficients = Array.from({ length: model.layout.expression }, (_, k) => expression[k] ?? 0)
  const parameters = {
    ...neutral,
    expression: tf.tensor2d([coefficients]),
    pose: {
      rotation: tf.tensor2d([rotation]),
      translation: tf.tensor2d([translation]),
      scale: tf.tensor2d([[scale]]),
    },
  }
  const rendering = renderFace(model, parameters, { width: 224, height: 224, contour: 'visible' })
  return ndarray(Float32Array.from(await rendering.landmarks.data()), [68, 2])
}

describe.each(testBackends)('fitLandmarks beside a renderer on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: finds the pose that the renderer drew', async () => {
    const landmarks = await landmarksOf([0.1, -0.3, 0.05], [4, -6, 0], 0.97)
    const fit = fitLandmarks(landmarks, model)
    expect(fit.meanDistance).toBeLessThan(0.6)
    expect(fit.rotation[1]).toBeCloseTo(-0.3, 1)
    expect(fit.rotation[2]).toBeCloseTo(0.05, 1)
  })

  it('value: a face turned by 0.8 radians is found from a frontal start', async () => {
    const fit = fitLandmarks(await landmarksOf([0, 0.8, 0], [0, 0, 0], 1), model)
    expect(fit.rotation[1]).toBeGreaterThan(0.6)
    expect(fit.meanDistance).toBeLessThan(1.5)
  })

  it('value: projects as the renderer does', async () => {
    const landmarks = await landmarksOf([0.1, 0.2, -0.1], [1, 2, 3], 1.02)
    const fit = fitLandmarks(landmarks, model)
    const parameters = {
      ...neutralParameters(model.layout),
      identity: tf.tensor2d([Array.from(fit.identity)]),
      expression: tf.tensor2d([Array.from(fit.expression)]),
      pose: {
        rotation: tf.tensor2d([fit.rotation]),
        translation: tf.tensor2d([fit.translation]),
        scale: tf.tensor2d([[fit.scale]]),
      },
    }
    const rendered = await renderFace(model, parameters, {
      width: 224,
      height: 224,
      contour: 'visible',
    }).landmarks.data()
    for (let i = 0; i < 136; i++) expect(fit.landmarks[i]).toBeCloseTo(rendered[i], 2)
  })

  it('value: keeps expressions inside of the range of the model', async () => {
    const bounded = { ...model, shape: { ...model.shape, expressionRange: [0, 1] as const } }
    const fit = fitLandmarks(await landmarksOf([0, 0, 0], [0, 0, 0], 1, [2.5]), bounded)
    expect(Math.min(...fit.expression)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...fit.expression)).toBeLessThanOrEqual(1)
    expect(fit.expression[0]).toBeGreaterThan(0.5)
  })

  it('throws: on landmarks of another count and on NaN', () => {
    expect(() => fitLandmarks(ndarray(new Float32Array(136), [2, 68]), model)).toThrow(
      'landmarks is [2, 68], expected [68, 2]',
    )
    expect(() => fitLandmarks(ndarray(new Float32Array(136).fill(Number.NaN), [68, 2]), model)).toThrow(
      'not a finite number',
    )
  })
})
