import * as tf from '@tensorflow/tfjs-core'
import { type FaceParameters, neutralParameters, packParameters, unpackParameters } from '@facekit/parameters'
import { assertHealthy } from '@facekit/engine'
import { shadeSurface } from '@facekit/illumination'
import type { MorphableModel } from '@facekit/morphable'
import { renderFace, type FaceRendering } from '@facekit/render'
import { checkGradient, createTinyFace, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import ndarray from 'ndarray'
import { beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()
const model = createTinyFace({ rows: 9, columns: 9 })
const outputs = [
  'image',
  'diffuse',
  'specular',
  'innerMouth',
  'landmarks',
  'vertices',
  'normals',
  'litDiffuse',
] as const

/** The mean face with some parameters changed, packed. */
const packed = (change: (neutral: FaceParameters) => Partial<FaceParameters>, batch = 1) =>
  tf.tidy(() => {
    const neutral = neutralParameters(model.layout, batch)
    return packParameters({ ...neutral, ...change(neutral) })
  })

const render = (vector: tf.Tensor, of: MorphableModel = model): FaceRendering =>
  renderFace(of, unpackParameters(vector as tf.Tensor2D, of.layout), {
    width: 24,
    height: 20,
    contour: 'visible',
  })

/** A sum in which every number of every output has a say. */
const total = (rendering: FaceRendering) =>
  tf.addN(
    outputs.map((name) => {
      const flat = tf.reshape(rendering[name], [-1])
      return tf.sum(tf.mul(flat, tf.cos(tf.range(0, flat.size))))
    }),
  )

async function expectFinite(vector: tf.Tensor2D, of?: MorphableModel): Promise<void> {
  const rendering = render(vector, of)
  const broken: string[] = []
  for (const name of outputs) if (!(await rendering[name].data()).every(Number.isFinite)) broken.push(name)
  const gradient = tf.grad((x: tf.Tensor) => total(render(x, of)))(vector)
  if (!(await gradient.data()).every(Number.isFinite)) broken.push('gradient')
  expect(broken).toEqual([])
  await assertHealthy()
}

describe.each([...testBackends, 'webgpu'])('renderFace on %s', (backend) => {
  describe.skipIf(backend === 'webgpu' && !webgpu)('where geometry breaks down', () => {
    beforeAll(() => useBackend(backend))

    it('gradient: finite at a scale of 0, and with the face behind the camera', async () => {
      await expectFinite(packed(({ pose }) => ({ pose: { ...pose, scale: tf.zeros([1, 1]) } })))
      await expectFinite(
        packed(({ pose }) => ({ pose: { ...pose, translation: tf.tensor2d([[0, 0, 2000]]) } })),
      )
    })

    it('gradient: finite with a light at a vertex, at the camera, and of the highest shininess', async () => {
      const { mean } = model.shape
      const nose = model.landmarks[30]
      const places = [
        [mean.get(nose, 0), mean.get(nose, 1), mean.get(nose, 2)],
        [0, 0, 1000],
      ]
      for (const place of places) {
        await expectFinite(
          packed(({ illumination }) => ({
            illumination: {
              ...illumination,
              lightPosition: tf.tensor2d([place]),
              shininess: tf.tensor2d([[2000]]),
            },
          })),
        )
      }
    })

    it('gradient: finite where triangles have no area, and normals are 0', async () => {
      const count = model.vertexCount
      const flat = { ...model.shape, mean: ndarray(new Float32Array(3 * count), [count, 3]) }
      // All vertices in one point.
      await expectFinite(
        packed(() => ({})),
        { ...model, shape: flat },
      )
    })

    it('gradient: all parameters by central differences', async () => {
      const vector = packed(
        ({ pose, illumination }) => ({
          identity: tf.randomNormal([2, model.layout.identity], 0, 0.5, 'float32', 1) as tf.Tensor2D,
          expression: tf.randomUniform([2, model.layout.expression], 0.2, 0.6, 'float32', 2) as tf.Tensor2D,
          albedo: tf.randomNormal([2, model.layout.albedo], 0, 0.5, 'float32', 3) as tf.Tensor2D,
          pose: {
            ...pose,
            rotation: tf.tensor2d([
              [0.12, -0.25, 0.08],
              [-0.2, 0.3, 0.6],
            ]),
          },
          illumination: {
            ...illumination,
            lightPosition: tf.tensor2d([
              [1.5, 2, 9],
              [-1.5, 1, 8],
            ]),
          },
        }),
        2,
      )
      // A hundredth of a light's way, so that a step of one length suits all parameters.
      const unit = tf.tidy(() => {
        const ones = packed((neutral) => {
          const { illumination } = neutral
          return {
            ...neutral,
            illumination: { ...illumination, lightPosition: tf.zeros([2, 3]) },
          }
        }, 2)
        const away = packed((neutral) => {
          const { illumination } = neutral
          return { illumination: { ...illumination, lightPosition: tf.ones([2, 3]) } }
        }, 2)
        return tf.add(tf.mul(tf.sub(away, ones), 99), 1)
      })
      await checkGradient(
        (x) => {
          const { vertices, normals, landmarks, litDiffuse } = render(tf.mul(x, unit))
          const flat = [tf.mul(vertices, 0.1), tf.mul(normals, 10), landmarks, tf.mul(litDiffuse, 10)]
          return tf.concat(flat.map((part) => tf.reshape(part, [-1])))
        },
        [vector],
        { step: 4e-3, directions: 2 },
      )
      await assertHealthy()
    })

    it('gradient: shadeSurface, all inputs by central differences', async () => {
      const random = (shape: number[], seed: number, low = 0.2, high = 0.8) =>
        tf.randomUniform(shape, low, high, 'float32', seed)
      const raw = tf.sub(random([2, 7, 3], 3), [0.5, 0.5, -0.5])
      const normals = tf.div(raw, tf.norm(raw, 2, 2, true))
      const inputs = [
        random([2, 7, 3], 1),
        random([2, 7, 3], 2),
        normals,
        tf.mul(random([2, 7, 3], 4), 0.3),
        random([2, 9, 3], 5),
        tf.add(random([2, 3], 6), [0, 0, 3]),
        random([2, 3], 7),
        tf.add(random([2, 1], 8), 3),
      ]
      await checkGradient(
        (...[diffuse, specular, normals, positions, harmonics, lightPosition, lightColor, shininess]) => {
          const { shaded, litDiffuse } = shadeSurface({
            diffuse: diffuse as tf.Tensor3D,
            specular: specular as tf.Tensor3D,
            normals: normals as tf.Tensor3D,
            positions: positions as tf.Tensor3D,
            sphericalHarmonics: harmonics as tf.Tensor3D,
            lightPosition: lightPosition as tf.Tensor2D,
            lightColor: lightColor as tf.Tensor2D,
            shininess: shininess as tf.Tensor2D,
            cameraPosition: [0, 0.5, 4],
          })
          return tf.concat([shaded, litDiffuse], 2)
        },
        inputs,
        { step: 5e-3, directions: backend === 'webgpu' ? 1 : 3 },
      )
      await assertHealthy()
    })
  })
})
