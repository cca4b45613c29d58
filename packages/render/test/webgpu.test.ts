import * as tf from '@tensorflow/tfjs-core'
import { neutralParameters, packParameters, unpackParameters } from '@facekit/parameters'
import { assertHealthy, recordStep } from '@facekit/engine'
import { sampleCoefficients } from '@facekit/morphable'
import { renderFace } from '@facekit/render'
import { createTinyFace, hasWebgpu, useBackend } from '@facekit/testing'
import { expect, it } from 'vitest'

const webgpu = await hasWebgpu()
const model = createTinyFace({ rows: 13, columns: 11 })
const names = [
  'image',
  'diffuse',
  'specular',
  'mask',
  'innerMouth',
  'landmarks',
  'vertices',
  'normals',
  'litDiffuse',
] as const

/** Everything that renderFace makes on a backend, and the gradient of all of it by all parameters. */
async function run(backend: string): Promise<Record<string, Float32Array>> {
  await useBackend(backend)
  const start = tf.tidy(() => {
    const neutral = neutralParameters(model.layout, 2)
    const vector = packParameters({
      ...neutral,
      ...sampleCoefficients(model.layout, { batch: 2, seed: 3 }),
      pose: {
        ...neutral.pose,
        rotation: tf.tensor2d([
          [0.12, -0.25, 0.08],
          [-0.2, 0.3, 0.1],
        ]),
      },
      illumination: {
        ...neutral.illumination,
        sphericalHarmonics: tf.tile(
          tf.concat(
            [
              tf.tensor3d([
                [
                  [3, 2.8, 2.6],
                  [0.2, 0.1, 0.3],
                  [0.3, 0.2, 0.1],
                ],
              ]),
              tf.zeros([1, 6, 3]),
            ],
            1,
          ),
          [2, 1, 1],
        ) as tf.Tensor3D,
        lightPosition: tf.tensor2d([
          [150, 200, 900],
          [-150, 100, 800],
        ]),
        lightColor: tf.tile(tf.tensor2d([[0.9, 0.9, 0.9]]), [2, 1]),
      },
    })
    return vector
  })
  const render = (vector: tf.Tensor) =>
    renderFace(model, unpackParameters(vector as tf.Tensor2D, model.layout), { width: 48, height: 40 })
  const rendering = render(start)
  const result: Record<string, Float32Array> = {}
  for (const name of names) result[name] = await rendering[name].data<'float32'>()
  for (const name of names) {
    const slope = tf.grad((vector: tf.Tensor) => {
      const output = render(vector)[name]
      const weights = tf.cos(tf.range(0, output.size))
      return tf.sum(tf.mul(tf.reshape(output, [-1]), weights))
    })(start)
    result[`gradient of ${name}`] = await slope.data<'float32'>()
  }
  await assertHealthy()
  return result
}

/** Gamma is steep in the dark: there the last digits of a vertex show. */
const tolerance = (name: string) => (/gradient|image|diffuse/.test(name) ? 1e-3 : 1e-4)

it.skipIf(!webgpu)('value: on webgpu pictures, meshes and their gradients are those of the cpu', async () => {
  const [onCpu, onGpu] = [await run('cpu'), await run('webgpu')]
  const wrong: string[] = []
  for (const [name, values] of Object.entries(onCpu)) {
    let [worst, largest] = [0, 1e-6]
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs(values[i] - onGpu[name][i])
      worst = Math.max(worst, Number.isFinite(difference) ? difference : Infinity)
      largest = Math.max(largest, Math.abs(values[i]))
    }
    if (!(worst / largest < tolerance(name))) wrong.push(`${name}: ${worst} of ${largest}`)
  }
  expect(wrong).toEqual([])
})

it.skipIf(!webgpu)(
  'gradient: a recorded step gives what it gives unrecorded, for new parameters, too',
  async () => {
    await useBackend('webgpu')
    const view = { width: 24, height: 20, contour: 'visible' } as const
    const step = (vector: tf.Tensor2D) =>
      tf.grad((x: tf.Tensor) => {
        const rendering = renderFace(model, unpackParameters(x as tf.Tensor2D, model.layout), view)
        return tf.addN(names.map((name) => tf.mean(tf.square(rendering[name]))))
      })(vector)
    const recorded = recordStep(step)
    const neutral = packParameters(neutralParameters(model.layout))
    for (let i = 0; i < 5; i++) {
      const vector = tf.add<tf.Tensor2D>(neutral, 0.02 * i)
      const [expected, actual] = [tf.tidy(() => step(vector)), recorded(vector)]
      expect(await actual.data()).toEqual(await expected.data())
      tf.dispose([vector, expected, actual])
    }
    recorded.dispose()
    neutral.dispose()
    await assertHealthy()
  },
)
