import * as tf from '@tensorflow/tfjs-core'
import { neutralParameters } from '@facekit/parameters'
import {
  clipToPixels,
  defaultCamera,
  encodeGamma,
  projectLandmarks,
  projectVertices,
  rotationMatrix,
  transformVertices,
} from '@facekit/render'
import { evaluateShape } from '@facekit/morphable'
import { checkGradient, createTinyFace, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace()
const size = { width: 224, height: 224 }
const weak = { ...defaultCamera, projection: 'weak-perspective' } as const

const expectClose = (actual: ArrayLike<number>, expected: readonly number[], digits = 5) => {
  expect(actual.length).toBe(expected.length)
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits))
}

const pose = (rotation: number[], translation: number[], scale: number) => ({
  rotation: tf.tensor2d([rotation]),
  translation: tf.tensor2d([translation]),
  scale: tf.tensor2d([[scale]]),
})

describe.each([...testBackends, 'device'])('camera and pose on %s', (backend) => {
  beforeAll(() => useBackend(backend))
  const quarter = Math.PI / 2

  it('value: pitch, yaw and roll turn about x, y and z', async () => {
    const matrices = rotationMatrix(
      tf.tensor2d([
        [quarter, 0, 0],
        [0, quarter, 0],
        [0, 0, quarter],
      ]),
    )
    const expected = [1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 1, 0, 1, 0, -1, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 1]
    expectClose(await matrices.data(), expected)
  })

  it('value: R is Rz(roll) Ry(yaw) Rx(pitch), in that order', async () => {
    // By hand: pitch takes +y to +z, yaw takes +z to +x, roll takes +x to +y.
    const matrix = rotationMatrix(tf.tensor2d([[quarter, quarter, quarter]]))
    const turned = tf.matMul(tf.reshape(matrix, [3, 3]) as tf.Tensor2D, tf.tensor2d([[0], [1], [0]]))
    expectClose(await turned.data(), [0, 1, 0])
    const [a, b, c] = [0.3, -0.5, 0.7]
    const single = (angles: number[]) =>
      tf.reshape(rotationMatrix(tf.tensor2d([angles])), [3, 3]) as tf.Tensor2D
    const product = tf.matMul(single([0, 0, c]), tf.matMul(single([0, b, 0]), single([a, 0, 0])))
    expectClose(await rotationMatrix(tf.tensor2d([[a, b, c]])).data(), [...(await product.data())])
  })

  it('value: moved first, then turned, then scaled', async () => {
    const vertices = tf.tensor3d([
      [
        [1, 0, 0],
        [0, 2, 3],
      ],
    ])
    const world = transformVertices(vertices, pose([0, 0, quarter], [1, 0, 0], 2))
    // (2, 0, 0) -> (0, 2, 0) -> (0, 4, 0); (1, 2, 3) -> (-2, 1, 3) -> (-4, 2, 6)
    expectClose(await world.data(), [0, 4, 0, -4, 2, 6])
  })

  it('gradient: pose and vertices', async () => {
    const vertices = tf.randomNormal([2, 5, 3], 0, 1, 'float32', 1)
    const rotation = tf.tensor2d([
      [0.3, -0.5, 0.7],
      [-1, 0.2, 2],
    ])
    const translation = tf.randomNormal([2, 3], 0, 1, 'float32', 2)
    await checkGradient(
      (v, r, t, s) =>
        transformVertices(v as tf.Tensor3D, {
          rotation: r as tf.Tensor2D,
          translation: t as tf.Tensor2D,
          scale: s as tf.Tensor2D,
        }),
      [vertices, rotation, translation, tf.tensor2d([[0.8], [1.3]])],
    )
    await checkGradient((r) => rotationMatrix(r as tf.Tensor2D), [rotation])
  })

  it('value: pixels by hand', async () => {
    // 100 mm to the right, 50 up, at the origin's depth: 1015 px / 1000 mm from the centre.
    const point = tf.tensor3d([[[100, 50, 0]]])
    expectClose(
      await clipToPixels(projectVertices(point, defaultCamera, size), size).data(),
      [112 + 101.5, 112 - 50.75],
      3,
    )
    // 100 mm nearer: 1015 / 900.
    const near = tf.tensor3d([[[100, 50, 100]]])
    const perspective = clipToPixels(projectVertices(near, defaultCamera, size), size)
    expectClose(await perspective.data(), [112 + 101500 / 900, 112 - 50750 / 900], 3)
    expectClose(await clipToPixels(projectVertices(near, weak, size), size).data(), [213.5, 61.25], 3)
  })

  it('value: the picture may be wide: the height counts', async () => {
    const wide = { width: 448, height: 224 }
    const point = tf.tensor3d([[[100, 50, 0]]])
    for (const camera of [defaultCamera, weak]) {
      const pixels = clipToPixels(projectVertices(point, camera, wide), wide)
      expectClose(await pixels.data(), [224 + 101.5, 112 - 50.75], 3)
    }
  })

  it('value: w is the distance before the camera; depth grows away from it', async () => {
    const clip = (
      await projectVertices(
        tf.tensor3d([
          [
            [0, 0, 0],
            [0, 0, -500],
          ],
        ]),
        defaultCamera,
        size,
      ).array()
    )[0]
    expect(clip[0][3]).toBeCloseTo(1000, 2)
    expect(clip[1][3]).toBeCloseTo(1500, 2)
    expect(clip[1][2] / clip[1][3]).toBeGreaterThan(clip[0][2] / clip[0][3])
  })

  it('value: behind the camera pixels are finite', async () => {
    const points = tf.tensor3d([
      [
        [1, 1, 1000],
        [5, 5, 2000],
      ],
    ])
    const pixels = clipToPixels(projectVertices(points, defaultCamera, size), size)
    expect((await pixels.data()).every(Number.isFinite)).toBe(true)
  })

  it('gradient: projection to pixels', async () => {
    const points = tf.tensor3d([
      [
        [10, 20, 30],
        [-40, 50, -60],
      ],
    ])
    for (const camera of [defaultCamera, weak]) {
      await checkGradient(
        (v) => clipToPixels(projectVertices(v as tf.Tensor3D, camera, size), size),
        [points],
        { step: 1 },
      )
    }
  })

  it('value: landmarks of the mean face by hand', async () => {
    const { identity, expression } = neutralParameters(model.layout)
    const vertices = evaluateShape(model, { identity, expression })
    const landmarks = projectLandmarks(vertices, model, { ...size, camera: defaultCamera })
    const pixels = await landmarks.data()
    for (const landmark of [0, 8, 30, 48, 66]) {
      const [x, y, z] = [0, 1, 2].map((axis) => model.shape.mean.get(model.landmarks[landmark], axis))
      expect(pixels[landmark * 2]).toBeCloseTo(112 + (1015 * x) / (1000 - z), 2)
      expect(pixels[landmark * 2 + 1]).toBeCloseTo(112 - (1015 * y) / (1000 - z), 2)
    }
  })

  it('value: visible jaw landmarks are the outermost of their rows; the others stay', async () => {
    const { identity, expression } = neutralParameters(model.layout)
    const shape = evaluateShape(model, { identity, expression })
    for (const angles of [
      [0, 0, 0],
      [0.1, 0.7, 0],
      [0, -0.6, 0.5],
    ]) {
      const turn = pose(angles, [0, 0, 0], 1)
      const vertices = transformVertices(shape, turn)
      const options = { ...size, camera: defaultCamera, rotation: turn.rotation }
      const fixed = await projectLandmarks(vertices, model, options).data()
      const visible = await projectLandmarks(vertices, model, { ...options, contour: 'visible' }).data()
      expectClose(visible.subarray(34), [...fixed.subarray(34)], 4)
      const all = await clipToPixels(projectVertices(vertices, defaultCamera, size), size).data()
      // Outwards of the tilted head: from sideways at the ears to downwards at the chin (y is down in pixels).
      const [cos, sin] = [Math.cos(angles[2]), Math.sin(angles[2])]
      model.jawContours!.forEach((row, i) => {
        const angle = (i / 16) * Math.PI
        const outwards = (x: number, y: number) =>
          -Math.cos(angle) * (x * cos - y * sin) + Math.sin(angle) * (y * cos + x * sin)
        const best = Math.max(...[...row].map((v) => outwards(all[v * 2], all[v * 2 + 1])))
        expect(outwards(visible[i * 2], visible[i * 2 + 1])).toBeCloseTo(best, 2)
      })
    }
  })

  it('value: the jaw of a turned head slides inwards on the far side', async () => {
    const { identity, expression } = neutralParameters(model.layout)
    const turn = pose([0, 0.8, 0], [0, 0, 0], 1)
    const vertices = transformVertices(evaluateShape(model, { identity, expression }), turn)
    const options = { ...size, camera: defaultCamera, rotation: turn.rotation }
    const fixed = await projectLandmarks(vertices, model, options).data()
    const visible = await projectLandmarks(vertices, model, { ...options, contour: 'visible' }).data()
    // Positive yaw turns the face to the right of the picture: the far side is on the right.
    expect(visible[14 * 2]).toBeGreaterThan(fixed[14 * 2] + 1)
  })

  it('value: gamma', async () => {
    const linear = tf.tensor1d([-1, 0, 1e-5, 1e-3, 0.02, 0.25, 0.5, 0.7, 0.999, 1, 3])
    const encoded = await encodeGamma(linear).data()
    const input = await linear.data()
    encoded.forEach((value, i) => {
      const x = Math.min(1, Math.max(0, input[i]))
      const expected = x ** (1 / 2.2)
      expect(Math.abs(value - expected)).toBeLessThan(x < 2 ** -14 ? 1 / 255 : 2e-6)
    })
    expect(encoded[6]).toBeCloseTo(0.7297, 4)
  })

  it('gradient: gamma, and 0 where it is cut', async () => {
    await checkGradient((x) => encodeGamma(x), [tf.tensor1d([0.05, 0.2, 0.5, 0.9])], { step: 1e-3 })
    const slope = tf.grad((x: tf.Tensor) => tf.sum(encodeGamma(x)))(tf.tensor1d([-0.5, 0, 1.5]))
    const [below, zero, above] = await slope.data()
    expect([Math.abs(below), Math.abs(above)]).toEqual([0, 0])
    expect(zero).toBeGreaterThan(0)
    expect(zero).toBeLessThan(200)
  })

  it('throws: wrong shapes and cameras', () => {
    const points = tf.zeros([1, 2, 3]) as tf.Tensor3D
    expect(() => rotationMatrix(tf.zeros([1, 4]))).toThrow('rotationMatrix: rotation is [1, 4]')
    expect(() =>
      transformVertices(points, { ...pose([0, 0, 0], [0, 0, 0], 1), scale: tf.zeros([2, 1]) }),
    ).toThrow('transformVertices: pose.scale is [2, 1], expected [B=1, 1]')
    expect(() => projectVertices(tf.zeros([1, 2, 4]), defaultCamera, size)).toThrow(
      'projectVertices: vertices',
    )
    expect(() => projectVertices(points, { ...defaultCamera, distance: 0 }, size)).toThrow(
      'camera.distance is 0',
    )
    expect(() => clipToPixels(points, size)).toThrow('clipToPixels: clip is [1, 2, 3]')
    expect(() => projectLandmarks(points, model, { ...size, camera: defaultCamera })).toThrow(
      'projectLandmarks: vertices is [1, 2, 3]',
    )
  })

  it('memory: nothing is left', async () => {
    const { identity, expression } = neutralParameters(model.layout)
    const turn = pose([0.1, 0.2, 0.3], [0, 0, 0], 1)
    const shape = evaluateShape(model, { identity, expression })
    await expectNoLeak(() => {
      const vertices = transformVertices(shape, turn)
      const options = { ...size, camera: defaultCamera, rotation: turn.rotation, contour: 'visible' } as const
      tf.dispose([vertices, projectLandmarks(vertices, model, options), rotationMatrix(turn.rotation)])
    })
  })
})
