import * as tf from '@tensorflow/tfjs-core'
import { ShapeError, ValueError } from '@facekit/core'
import { assertHealthy } from '@facekit/engine'
import { shadeDiffuse, shadeSpecular, shadeSurface, type ShadeSurfaceInput } from '@facekit/illumination'
import { expectNoLeak, hasWebgpu, testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const webgpu = await hasWebgpu()
const cameraPosition: [number, number, number] = [0.1, -0.2, 4]
type Input = ShadeSurfaceInput<tf.Tensor3D>

/** More points than a workgroup adds up, some of them turned away from the light. */
function scene(points = 300): Omit<Input, 'cameraPosition'> {
  const random = (shape: number[], seed: number, low = 0, high = 1) =>
    tf.randomUniform(shape, low, high, 'float32', seed)
  return tf.tidy(() => {
    const raw = tf.add(random([2, points, 3], 1, -1, 1), [0, 0, 0.5])
    return {
      diffuse: random([2, points, 3], 2),
      specular: random([2, points, 3], 3),
      normals: tf.div(raw, tf.norm(raw, 2, 2, true)),
      positions: random([2, points, 3], 4, -0.5, 0.5),
      sphericalHarmonics: random([2, 9, 3], 5, -1, 1),
      lightPosition: tf.add(random([2, 3], 6, -1, 1), [0, 0, 3]),
      lightColor: random([2, 3], 7),
      shininess: random([2, 1], 8, 2, 20),
    } as unknown as tf.NamedTensorMap
  }) as unknown as Omit<Input, 'cameraPosition'>
}

/** Light by light. */
const separately = (input: Input) => {
  const { diffuse, specular, normals, positions, lightPosition, lightColor, shininess } = input
  const litDiffuse = shadeDiffuse(diffuse, normals, input.sphericalHarmonics)
  const highlight = shadeSpecular({
    albedo: specular,
    normals,
    positions,
    lightPosition,
    lightColor,
    shininess,
    cameraPosition: tf.tensor1d(cameraPosition),
  })
  return { shaded: tf.concat([litDiffuse, highlight], 2), litDiffuse }
}

describe.each([...testBackends, 'webgpu'])('shadeSurface on %s', (backend) => {
  describe.skipIf(backend === 'webgpu' && !webgpu)('as it is used', () => {
    beforeAll(() => useBackend(backend))

    const uses: [string, (shading: { shaded: tf.Tensor; litDiffuse: tf.Tensor }) => tf.Tensor][] = [
      ['both', ({ shaded, litDiffuse }) => tf.concat([shaded, tf.mul(litDiffuse, 2)], 2)],
      ['shaded', ({ shaded }) => shaded],
      ['litDiffuse', ({ litDiffuse }) => litDiffuse],
    ]
    it.each(uses)('value, gradient: those of shadeDiffuse and shadeSpecular: %s', async (_, pick) => {
      const input = scene()
      const names = Object.keys(input)
      const run = async (shade: (input: Input) => { shaded: tf.Tensor; litDiffuse: tf.Tensor }) => {
        const loss = (...tensors: tf.Tensor[]) => {
          const named = Object.fromEntries(tensors.map((tensor, i) => [names[i], tensor]))
          const out = pick(shade({ ...named, cameraPosition } as unknown as Input))
          const flat = tf.reshape(out, [-1])
          // What the output does not depend on has a gradient of 0, too.
          const none = tf.addN(tensors.map((tensor) => tf.mul(tf.sum(tensor), 0)))
          return tf.add(tf.sum(tf.mul(flat, tf.cos(tf.range(0, flat.size)))), none)
        }
        const { value, grads } = tf.valueAndGrads(loss)(Object.values(input))
        return Promise.all([value, ...grads].map((tensor) => tensor.data<'float32'>()))
      }
      const [expected, actual] = [await run(separately), await run(shadeSurface)]
      await assertHealthy()
      const wrong: string[] = []
      for (const [i, values] of expected.entries()) {
        const scale = Math.max(1e-3, ...values.map(Math.abs))
        const worst = Math.max(...values.map((value, k) => Math.abs(value - actual[i][k])))
        if (!(worst / scale < 1e-4)) wrong.push(`${['value', ...names][i]}: ${worst} of ${scale}`)
      }
      expect(wrong).toEqual([])
    })

    it('memory: only the results are left', async () => {
      const input = scene(5)
      await expectNoLeak(() => {
        const { shaded, litDiffuse } = shadeSurface({ ...input, cameraPosition })
        tf.dispose([shaded, litDiffuse])
      })
    })
  })
})

describe('arguments of shadeSurface', () => {
  beforeAll(() => useBackend('cpu'))

  it('shape: points of a picture', () => {
    const picture = tf.zeros([2, 3, 4, 3]) as tf.Tensor4D
    const surface = { diffuse: picture, specular: picture, normals: picture, positions: picture }
    const { shaded, litDiffuse } = shadeSurface({ ...scene(1), ...surface, cameraPosition })
    expect(shaded.shape).toEqual([2, 3, 4, 6])
    expect(litDiffuse.shape).toEqual([2, 3, 4, 3])
  })

  it('throws: shapes that do not fit, and a camera that is nowhere', () => {
    const input = { ...scene(5), cameraPosition }
    expect(() => shadeSurface({ ...input, normals: tf.zeros<tf.Rank.R3>([2, 4, 3]) })).toThrow(ShapeError)
    expect(() => shadeSurface({ ...input, sphericalHarmonics: tf.zeros([2, 4, 3]) })).toThrow(
      'shadeSurface: sphericalHarmonics is [2, 4, 3]',
    )
    expect(() => shadeSurface({ ...input, lightColor: tf.zeros([1, 3]) })).toThrow('lightColor')
    expect(() => shadeSurface({ ...input, cameraPosition: [0, 0, Number.NaN] })).toThrow(ValueError)
  })
})
