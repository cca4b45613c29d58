import * as tf from '@tensorflow/tfjs-core'
import { neutralParameters, packParameters, unpackParameters } from '@facekit/parameters'
import { assertHealthy } from '@facekit/engine'
import { sampleCoefficients } from '@facekit/morphable'
import { defaultCamera, renderFace, type RenderFaceOptions } from '@facekit/render'
import { createTinyFace, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

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

/** Two faces, packed, in general position: nothing is 0, mouths are open. */
function scene(): tf.Tensor2D {
  return tf.tidy(() => {
    const neutral = neutralParameters(model.layout, 2)
    const bright = tf.concat([tf.tensor3d([[[3, 2.8, 2.6]]]), tf.zeros([1, 8, 3])], 1)
    return packParameters({
      ...neutral,
      ...sampleCoefficients(model.layout, { batch: 2, seed: 3 }),
      pose: {
        rotation: tf.tensor2d([
          [0.12, -0.25, 0.08],
          [-0.2, 0.3, 0.6],
        ]),
        translation: tf.tensor2d([
          [3, -4, 6],
          [-5, 2, 0],
        ]),
        scale: tf.tensor2d([[0.9], [0.8]]),
      },
      illumination: {
        sphericalHarmonics: tf.add(
          tf.randomUniform([2, 9, 3], -0.25, 0.25, 'float32', 2),
          bright,
        ) as tf.Tensor3D,
        lightPosition: tf.tensor2d([
          [150, 200, 900],
          [-150, 100, 800],
        ]),
        lightColor: tf.tensor2d([
          [0.9, 0.9, 0.9],
          [0.8, 0.7, 1],
        ]),
        shininess: tf.tensor2d([[8], [14]]),
      },
    })
  })
}

/** Everything that renderFace makes, and the gradient of all of it by all parameters, alone and together. */
async function run(
  options: Partial<RenderFaceOptions>,
  gradients: string[],
): Promise<Map<string, Float32Array>> {
  const start = scene()
  const render = (vector: tf.Tensor) =>
    renderFace(model, unpackParameters(vector as tf.Tensor2D, model.layout), {
      width: 48,
      height: 40,
      ...options,
    })
  const rendering = render(start)
  const result = new Map<string, Float32Array>()
  for (const name of names) result.set(name, await rendering[name].data<'float32'>())
  for (const chosen of gradients) {
    const slope = tf.grad((vector: tf.Tensor) => {
      const outputs = render(vector)
      const parts = names
        .filter((name) => chosen === 'all' || name === chosen)
        .map((name) => {
          const weights = tf.cos(tf.range(0, outputs[name].size))
          return tf.sum(tf.mul(tf.reshape(outputs[name], [-1]), weights))
        })
      return tf.addN(parts)
    })(start)
    result.set(`gradient of ${chosen}`, await slope.data<'float32'>())
    slope.dispose()
  }
  tf.dispose([start, { ...rendering, fragments: { ...rendering.fragments } }])
  return result
}

/** Names of what differs by more than a share of its largest number. */
function differences(expected: Map<string, Float32Array>, actual: Map<string, Float32Array>): string[] {
  const wrong: string[] = []
  for (const [name, values] of expected) {
    // Gamma is steep in the dark: there the last digits of a vertex show.
    const tolerance = /gradient|image|diffuse/.test(name) ? 1e-3 : 1e-4
    let [worst, largest] = [0, 1e-6]
    for (let i = 0; i < values.length; i++) {
      const difference = Math.abs(values[i] - actual.get(name)![i])
      worst = Math.max(worst, Number.isFinite(difference) ? difference : Infinity)
      largest = Math.max(largest, Math.abs(values[i]))
    }
    if (!(worst / largest < tolerance)) wrong.push(`${name}: ${worst} of ${largest}`)
  }
  return wrong
}

const cases: [string, Partial<RenderFaceOptions>][] = [
  ['as it is', {}],
  ['visible contour', { contour: 'visible' }],
  ['light at each pixel', { shading: 'pixel' }],
  [
    'hard edges, weak perspective, coloured background',
    {
      antialias: false,
      background: [0.2, 0.4, 0.6],
      camera: { ...defaultCamera, projection: 'weak-perspective' },
    },
  ],
]

describe.each([...testBackends, 'webgpu'])('renderFace on %s', (backend) => {
  describe.skipIf(backend === 'webgpu' && !webgpu)('fused', () => {
    beforeAll(() => useBackend(backend))

    it.each(cases)(
      'gradient: pictures, meshes and gradients are those of the operations: %s',
      async (name, options) => {
        // In software WebGPU is slow: there only some outputs alone, to see what happens where the others have no gradient.
        const some = name === 'as it is' ? ['specular', 'landmarks', 'litDiffuse'] : []
        const gradients = backend === 'webgpu' ? [...some, 'all'] : [...names, 'all']
        const expected = await run({ ...options, implementation: 'operations' }, gradients)
        expect(differences(expected, await run(options, gradients))).toEqual([])
        await assertHealthy()
      },
    )
  })
})
