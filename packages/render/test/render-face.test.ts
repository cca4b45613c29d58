import * as tf from '@tensorflow/tfjs-core'
import { ShapeError } from '@facekit/core'
import { type FaceParameters, neutralParameters } from '@facekit/parameters'
import { sampleCoefficients } from '@facekit/morphable'
import { defaultCamera, renderFace, type FaceRendering, type RenderFaceOptions } from '@facekit/render'
import { checkGradient, createTinyFace, expectNoLeak, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace({ rows: 13, columns: 11 })
const size = { width: 40, height: 40 }

type Named = Record<string, tf.Tensor>

/** A face in general position: nothing is 0, the mouth is open. */
function scene(): Named {
  const { identity, expression, albedo } = sampleCoefficients(model.layout, { seed: 3 })
  return {
    identity,
    expression: tf.concat([tf.tensor2d([[0.9]]), tf.slice(expression, [0, 1], [1, 3])], 1),
    albedo,
    rotation: tf.tensor2d([[0.12, -0.25, 0.08]]),
    translation: tf.tensor2d([[3, -4, 6]]),
    scale: tf.tensor2d([[0.9]]),
    // Bright enough that no vertex is black, where the curve of gamma is steep, and none is white, where it is cut.
    sphericalHarmonics: tf.add(
      tf.randomUniform([1, 9, 3], -0.25, 0.25, 'float32', 2),
      tf.concat([tf.tensor3d([[[3, 2.8, 2.6]]]), tf.zeros([1, 8, 3])], 1),
    ),
    lightPosition: tf.tensor2d([[150, 200, 900]]),
    lightColor: tf.tensor2d([[1, 0.9, 0.8]]),
    shininess: tf.tensor2d([[8]]),
  }
}

const assemble = (parts: Named) =>
  ({
    identity: parts.identity,
    expression: parts.expression,
    albedo: parts.albedo,
    pose: { rotation: parts.rotation, translation: parts.translation, scale: parts.scale },
    illumination: {
      sphericalHarmonics: parts.sphericalHarmonics,
      lightPosition: parts.lightPosition,
      lightColor: parts.lightColor,
      shininess: parts.shininess,
    },
  }) as FaceParameters

const render = (parts: Named, options: Partial<RenderFaceOptions> = {}): FaceRendering =>
  renderFace(model, assemble(parts), { ...size, ...options })

const neutral = (batch = 1) => neutralParameters(model.layout, batch)

describe.each([...testBackends, 'device'])('renderFace on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value, gradient: a geometry that is known gives the same picture, and light and albedo the same gradient', () => {
    tf.tidy(() => {
      const parts = scene()
      const { vertices, normals, landmarks, fragments } = render(parts)
      const geometry = { vertices, normals, landmarks, fragments }
      const colors = ['albedo', 'sphericalHarmonics', 'lightColor'] as const
      const gradients = (options: Partial<RenderFaceOptions>) =>
        tf.grads((...given: tf.Tensor[]) => {
          const changed = Object.fromEntries(colors.map((name, i) => [name, given[i]]))
          return tf.sum(tf.square(render({ ...parts, ...changed }, options).image))
        })(colors.map((name) => parts[name]))
      const [known, found] = [{ geometry }, {}].map(gradients)
      const difference = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]
      known.forEach((gradient, i) => {
        const largest = tf.max(tf.abs(found[i])).dataSync()[0]
        expect(largest).toBeGreaterThan(0)
        expect(difference(gradient, found[i])).toBeLessThan(1e-4 * largest)
      })
      // Another pose does not matter any more.
      const turned = { ...parts, rotation: tf.tensor2d([[0, 0.5, 0]]) }
      expect(difference(render(turned, { geometry }).image, render(parts).image)).toBeLessThan(1e-5)
    })
  })

  it('shape: pictures, masks, landmarks and mesh of a batch, not square', () => {
    const rendering = renderFace(model, neutral(2), { width: 24, height: 16 })
    expect(rendering.image.shape).toEqual([2, 16, 24, 3])
    expect(rendering.diffuse.shape).toEqual([2, 16, 24, 3])
    expect(rendering.specular.shape).toEqual([2, 16, 24, 3])
    expect(rendering.mask.shape).toEqual([2, 16, 24, 1])
    expect(rendering.innerMouth.shape).toEqual([2, 16, 24, 1])
    expect(rendering.landmarks.shape).toEqual([2, 68, 2])
    expect(rendering.vertices.shape).toEqual([2, model.vertexCount, 3])
    expect(rendering.normals.shape).toEqual([2, model.vertexCount, 3])
    expect(rendering.litDiffuse.shape).toEqual([2, model.vertexCount, 3])
    expect(rendering.fragments.triangleIds.shape).toEqual([2, 16, 24])
  })

  it('value: all pictures lie in 0..1, and the masks do not overlap', async () => {
    const { image, diffuse, specular, mask, innerMouth } = render(scene())
    for (const tensor of [image, diffuse, specular, mask, innerMouth]) {
      const values = await tensor.data()
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
    }
    const [face, mouth] = [await mask.data(), await innerMouth.data()]
    face.forEach((value, i) => expect(value + mouth[i]).toBeLessThanOrEqual(1 + 1e-5))
    expect(mouth.some((value) => value === 1)).toBe(true)
  })

  it('value: white light of irradiance 1 shows the encoded albedo', async () => {
    // Pixel shading and vertex shading agree here, as the light is the same everywhere.
    for (const shading of ['vertex', 'pixel'] as const) {
      const { diffuse, fragments } = renderFace(model, neutral(), { ...size, shading, antialias: false })
      const ids = await fragments.triangleIds.data()
      const barycentrics = await fragments.barycentrics.data()
      const picture = await diffuse.data()
      const pixel = ids.findIndex((id) => id >= 0 && id < model.triangles.length / 3)
      for (let c = 0; c < 3; c++) {
        let albedo = 0
        for (let k = 0; k < 3; k++) {
          const vertex = model.triangles[ids[pixel] * 3 + k]
          albedo += barycentrics[pixel * 3 + k] * model.albedo.diffuseMean.get(vertex, c)
        }
        expect(picture[pixel * 3 + c]).toBeCloseTo(albedo ** (1 / 2.2), 5)
      }
    }
  })

  it('value: the picture is the encoded sum of diffuse and specular light', async () => {
    const { image, diffuse, specular } = render(scene(), { antialias: false })
    const [sum, d, s] = await Promise.all([image.data(), diffuse.data(), specular.data()])
    sum.forEach((value, i) => {
      if (d[i] < 0.02 || s[i] < 0.02 || value >= 1) return
      expect(value).toBeCloseTo((d[i] ** 2.2 + s[i] ** 2.2) ** (1 / 2.2), 4)
    })
  })

  it('value: the background shows beside the face and in the mouth, in the image only', async () => {
    const { image, diffuse, mask, innerMouth } = render(scene(), { background: [0.2, 0.4, 0.6] })
    const [picture, d, face, mouth] = await Promise.all(
      [image, diffuse, mask, innerMouth].map((tensor) => tensor.data()),
    )
    let seen = 0
    face.forEach((value, i) => {
      if (value !== 0) return
      if (mouth[i] === 1) seen++
      ;[0.2, 0.4, 0.6].forEach((expected, c) => {
        expect(picture[i * 3 + c]).toBeCloseTo(expected, 5)
        expect(Math.abs(d[i * 3 + c])).toBe(0)
      })
    })
    expect(seen).toBeGreaterThan(0)
    const photo = tf.add(tf.zeros<tf.Rank.R4>([1, 40, 40, 3]), 0.5) as tf.Tensor4D
    const over = await render(scene(), { background: photo }).image.data()
    expect(over[0]).toBeCloseTo(0.5, 5)
  })

  it('value: nothing but finite numbers when the face is behind, before or across the camera', async () => {
    for (const z of [990, 1000, 1500, 3000, -50_000]) {
      const parts = { ...scene(), translation: tf.tensor2d([[0, 0, z]]) }
      const rendering = render(parts, { contour: 'visible' })
      for (const tensor of [rendering.image, rendering.mask, rendering.landmarks]) {
        expect((await tensor.data()).every(Number.isFinite)).toBe(true)
      }
      const gradient = tf.grad((translation: tf.Tensor) => {
        const { image, landmarks } = render({ ...parts, translation })
        return tf.add(tf.sum(image), tf.sum(landmarks))
      })(parts.translation)
      expect((await gradient.data()).every(Number.isFinite)).toBe(true)
    }
  })

  it('gradient: finite on black background, at black albedo, without light', async () => {
    const parts = { ...scene(), sphericalHarmonics: tf.zeros([1, 9, 3]), lightColor: tf.zeros([1, 3]) }
    const gradient = tf.grad((sphericalHarmonics: tf.Tensor) =>
      tf.sum(render({ ...parts, sphericalHarmonics }).image),
    )(parts.sphericalHarmonics)
    expect((await gradient.data()).every(Number.isFinite)).toBe(true)
  })

  it('memory: only the results are left', async () => {
    const parts = scene()
    await expectNoLeak(() => {
      const rendering = render(parts, { contour: 'visible' })
      tf.dispose([{ ...rendering, fragments: { ...rendering.fragments } }])
    })
    const names = Object.keys(parts)
    const gradients = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
      const { image, innerMouth, landmarks } = render(
        Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor])),
      )
      return tf.addN([tf.sum(image), tf.sum(innerMouth), tf.sum(landmarks)])
    })
    await expectNoLeak(() => {
      const { value, grads } = gradients(Object.values(parts))
      tf.dispose([value, ...grads])
    })
  })
})

describe.each(testBackends)('gradients of renderFace on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  /** Step and tolerance of each parameter: a step must move the picture, but coverage by far less than a pixel. */
  const steps: Record<string, number> = {
    identity: 0.02,
    expression: 0.02,
    albedo: 0.05,
    rotation: 2e-3,
    translation: 0.05,
    scale: 5e-4,
    sphericalHarmonics: 0.02,
    lightPosition: 10,
    lightColor: 0.02,
    shininess: 0.05,
  }
  const pictures: [string, (rendering: FaceRendering) => tf.Tensor][] = [
    ['diffuse', ({ diffuse }) => diffuse],
    ['specular', ({ specular }) => specular],
  ]
  const light = ['albedo', 'sphericalHarmonics', 'lightPosition', 'lightColor', 'shininess']

  it.each(light)('gradient: pictures with respect to %s', async (name) => {
    const parts = scene()
    for (const shading of ['vertex', 'pixel'] as const) {
      await checkGradient(
        (tensor) => {
          const { image, diffuse, specular } = render({ ...parts, [name]: tensor }, { shading })
          return tf.concat([image, diffuse, specular], 3)
        },
        [parts[name]],
        // Gamma bends sharply where a highlight fades to black: small steps.
        { step: steps[name] / 4, directions: 2 },
      )
    }
  })

  const geometry = ['identity', 'expression', 'rotation', 'translation', 'scale']

  it.each(geometry)('gradient: landmarks, vertices, normals, lit albedo with respect to %s', async (name) => {
    const parts = scene()
    await checkGradient(
      (tensor) => {
        const { landmarks, vertices, normals, litDiffuse } = render({ ...parts, [name]: tensor })
        const flat = [landmarks, tf.mul(vertices, 0.1), tf.mul(normals, 10), tf.mul(litDiffuse, 10)]
        return tf.concat(flat.map((part) => tf.reshape(part, [-1])))
      },
      [parts[name]],
      { step: steps[name], directions: 2 },
    )
  })

  it.each(geometry)('gradient: visible landmarks with respect to %s', async (name) => {
    const parts = scene()
    await checkGradient(
      (tensor) => render({ ...parts, [name]: tensor }, { contour: 'visible' }).landmarks,
      [parts[name]],
      { step: steps[name] / 4, directions: 2 },
    )
  })

  it.each(geometry)('gradient: colours inside of the face with respect to %s', async (name) => {
    const parts = scene()
    // Away from outlines. Colours bend at triangles' edges: few edges and small steps, so that few pixels cross one.
    const coarse = createTinyFace({ rows: 9, columns: 9 })
    const draw = (changed: Named) => renderFace(coarse, assemble({ ...parts, ...changed }), size)
    const inside = tf.tidy(() => {
      const hidden = tf.sub(1, draw({}).mask) as tf.Tensor4D
      return tf.cast(tf.less(tf.maxPool(hidden, 7, 1, 'same'), 0.001), 'float32')
    })
    for (const [, pick] of pictures) {
      await checkGradient((tensor) => tf.mul(pick(draw({ [name]: tensor })), inside), [parts[name]], {
        step: steps[name] / 8,
        directions: 2,
        relativeTolerance: 2e-2,
        absoluteTolerance: 1e-2,
      })
    }
  })
})

describe('outlines of renderFace', () => {
  beforeAll(() => useBackend('wasm'))

  const total = (parts: Named, pick: 'mask' | 'innerMouth') =>
    tf.tidy(() => tf.sum(render(parts, { width: 112, height: 112 })[pick]).dataSync()[0])

  const derivative = (parts: Named, pick: 'mask' | 'innerMouth', name: string) =>
    tf.tidy(
      () =>
        tf
          .grad((tensor: tf.Tensor) =>
            tf.sum(render({ ...parts, [name]: tensor }, { width: 112, height: 112 })[pick]),
          )(parts[name])
          .dataSync()[0],
    )

  const moved = (parts: Named, name: string, by: number) => ({
    ...parts,
    [name]: tf.tensor2d(
      [...parts[name].dataSync()].map((value, i) => (i === 0 ? value + by : value)),
      parts[name].shape as [number, number],
    ),
  })

  it('gradient: the area of the face grows with its scale as the square', () => {
    const parts = { ...scene(), scale: tf.tensor2d([[0.7]]) }
    const area = total(parts, 'mask')
    const slope = derivative(parts, 'mask', 'scale')
    const numeric =
      (total(moved(parts, 'scale', 0.05), 'mask') - total(moved(parts, 'scale', -0.05), 'mask')) / 0.1
    expect(Math.abs(numeric / ((2 * area) / 0.7) - 1)).toBeLessThan(0.02)
    expect(Math.abs(slope / numeric - 1)).toBeLessThan(0.01)
  })

  it('gradient: the area of the inner mouth grows as the jaw opens', () => {
    const parts = scene()
    const slope = derivative(parts, 'innerMouth', 'expression')
    const ahead = total(moved(parts, 'expression', 0.2), 'innerMouth')
    const numeric = (ahead - total(moved(parts, 'expression', -0.2), 'innerMouth')) / 0.4
    expect(numeric).toBeGreaterThan(10)
    expect(Math.abs(slope / numeric - 1)).toBeLessThan(0.02)
  })

  it('gradient: without antialias the masks carry none', () => {
    const parts = scene()
    const slope = tf.grad((scale: tf.Tensor) =>
      tf.sum(render({ ...parts, scale }, { antialias: false }).mask),
    )
    expect(slope(parts.scale).dataSync()[0]).toBe(0)
  })
})

describe('arguments of renderFace', () => {
  beforeAll(() => useBackend('cpu'))

  it('shape: without options a picture is 224 x 224, with one side it is square', () => {
    const parameters = neutralParameters(model.layout)
    expect(renderFace(model, parameters).image.shape).toEqual([1, 224, 224, 3])
    expect(renderFace(model, parameters, { width: 24 }).mask.shape).toEqual([1, 24, 24, 1])
  })

  it('throws: parameters that are missing', () => {
    expect(() => renderFace(model, undefined as never)).toThrow(ShapeError)
    expect(() => renderFace(model, undefined as never)).toThrow(/renderFace: identity is undefined, model "/)
  })

  it('throws: parameters that do not fit the model', () => {
    const parts = scene()
    expect(() => render({ ...parts, identity: tf.zeros([1, 80]) })).toThrow(
      'renderFace: identity is [1, 80], model "tiny-face" needs [B, 6]; pass coefficients that fit model.layout',
    )
    expect(() => render({ ...parts, albedo: tf.zeros([2, 5]) })).toThrow('renderFace: albedo is [2, 5]')
    const wrong: [string, number[], string][] = [
      ['rotation', [1, 4], 'renderFace: pose.rotation is [1, 4], expected [B=1, 3]'],
      ['translation', [2, 3], 'renderFace: pose.translation is [2, 3]'],
      ['scale', [1], 'renderFace: pose.scale is [1]'],
      ['sphericalHarmonics', [1, 27], 'renderFace: illumination.sphericalHarmonics is [1, 27]'],
      ['lightPosition', [1, 2], 'renderFace: illumination.lightPosition is [1, 2]'],
      ['lightColor', [1, 1], 'renderFace: illumination.lightColor is [1, 1]'],
      ['shininess', [2, 1], 'renderFace: illumination.shininess is [2, 1]'],
    ]
    for (const [name, shape, message] of wrong) {
      expect(() => render({ ...parts, [name]: tf.zeros(shape) })).toThrow(message)
    }
  })

  it('throws: options out of range', () => {
    const parts = scene()
    expect(() => render(parts, { width: 0 })).toThrow('renderFace: width is 0')
    expect(() => render(parts, { height: 2.5 })).toThrow('renderFace: height is 2.5')
    expect(() => render(parts, { shading: 'flat' as 'pixel' })).toThrow("expected 'vertex' or 'pixel'")
    expect(() => render(parts, { contour: 'none' as 'fixed' })).toThrow("expected 'fixed' or 'visible'")
    expect(() => render(parts, { background: 2 })).toThrow('background is 2')
    expect(() => render(parts, { background: [0, 0] as never })).toThrow('3 numbers')
    expect(() => render(parts, { background: tf.zeros([1, 4, 4, 3]) })).toThrow('background is [1, 4, 4, 3]')
    const camera = (change: object) => ({ camera: { ...defaultCamera, ...change } })
    expect(() => render(parts, camera({ fieldOfView: 4 }))).toThrow('camera.fieldOfView is 4')
    expect(() => render(parts, camera({ near: 0 }))).toThrow('camera.near is 0')
    expect(() => render(parts, camera({ far: 1 }))).toThrow('camera.far is 1')
    expect(() => render(parts, camera({ distance: Number.NaN }))).toThrow('camera.distance is NaN')
    expect(() => render(parts, camera({ projection: 'fish-eye' }))).toThrow('camera.projection is fish-eye')
  })

  it('memory: an error leaves nothing behind', async () => {
    const parts = scene()
    await expectNoLeak(() => {
      expect(() => render(parts, { background: 2 })).toThrow('background')
    })
  })
})
