import * as tf from '@tensorflow/tfjs-core'
import { ShapeError, ValueError } from '@facekit/core'
import {
  createParameters,
  decodeParameters,
  disposeParameters,
  encodeParameters,
  expressionCoefficients,
  type FaceParameters,
  parameterCount,
  packParameters,
  readParameters,
  unpackParameters,
} from '@facekit/parameters'
import { testBackends, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const layout = { identity: 4, expression: 3, albedo: 2 }

/** Two faces in which every number is another one, at least 1. */
const twoFaces = (): FaceParameters =>
  tf.tidy(() => unpackParameters(tf.reshape(tf.range(1, 101), [2, parameterCount(layout)]), layout))

describe.each(testBackends)('arrays and JSON of parameters on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it('value: arrays of each face, row by row, and back', async () => {
    const parameters = twoFaces()
    const faces = await readParameters(parameters)
    expect(faces).toHaveLength(2)
    expect([...faces[1].identity]).toEqual([51, 52, 53, 54])
    expect([...faces[0].illumination.sphericalHarmonics].slice(0, 3)).toEqual([17, 18, 19])
    const back = createParameters(faces)
    expect(await packParameters(back).array()).toEqual(await packParameters(parameters).array())
  })

  it('value: JSON has lists, rows and single numbers, and is read back', async () => {
    const [face] = await readParameters(twoFaces())
    const json = encodeParameters(face, ['jawOpen', 'smile', 'blink'])
    expect(json.identity).toEqual([1, 2, 3, 4])
    expect(json.pose).toEqual({ rotation: [10, 11, 12], translation: [13, 14, 15], scale: 16 })
    expect(json.illumination.sphericalHarmonics[8]).toEqual([41, 42, 43])
    expect(json.illumination.shininess).toBe(50)
    const read = decodeParameters('me.json', JSON.parse(JSON.stringify(json)))
    expect(read).toEqual({ face, expressionNames: ['jawOpen', 'smile', 'blink'] })
    expect('expressionNames' in encodeParameters(face)).toBe(false)
    expect(decodeParameters('me.json', encodeParameters(face))).toEqual({ face })
  })

  it('memory: createParameters gives ten tensors', async () => {
    const faces = await readParameters(twoFaces())
    const before = tf.memory().numTensors
    const parameters = createParameters(faces)
    expect(tf.memory().numTensors - before).toBe(10)
    disposeParameters(parameters)
  })

  it('throws: on faces of different layouts, and on none', async () => {
    const [first, second] = await readParameters(twoFaces())
    const cut = { ...second, albedo: second.albedo.subarray(1) }
    expect(() => createParameters([first, cut])).toThrow(
      'createParameters: faces[1].albedo has 1 numbers, expected 2',
    )
    expect(() => createParameters([])).toThrow(ShapeError)
    const posed = { ...first, pose: undefined }
    expect(() => createParameters([posed as never])).toThrow('faces[0].pose.rotation has no numbers')
  })

  it('throws: on JSON that is no face', async () => {
    const [face] = await readParameters(twoFaces())
    const json = encodeParameters(face, ['a', 'b', 'c'])
    const { pose, illumination } = json
    const light = (change: object) => ({ ...json, illumination: { ...illumination, ...change } })
    const cases: [unknown, RegExp][] = [
      [null, /^me\.json: holds no object/],
      [[json], /holds no object/],
      [
        { ...json, identity: undefined },
        /identity is missing, expected numbers in lists of shape \[identity\]/,
      ],
      [{ ...json, pose: undefined }, /pose\.rotation is missing/],
      [{ ...json, pose: { ...pose, rotation: [0, 1] } }, /pose\.rotation has 2 numbers, expected .*\[3\]/],
      [{ ...json, pose: { ...pose, scale: [1] } }, /pose\.scale has another shape, expected a number/],
      [{ ...json, pose: { ...pose, scale: -1 } }, /pose\.scale holds -1/],
      [{ ...json, albedo: [1, null] }, /albedo holds null/],
      [{ ...json, albedo: ['1', 2] }, /albedo holds "1"/],
      [{ ...json, albedo: [1e39, 2] }, /albedo holds 1e\+39/],
      [light({ sphericalHarmonics: illumination.sphericalHarmonics.flat() }), /Harmonics has another shape/],
      [light({ sphericalHarmonics: [illumination.sphericalHarmonics.flat()] }), /Harmonics has 27 numbers/],
      [light({ shininess: 0.5 }), /illumination\.shininess holds 0\.5/],
      [{ ...json, expressionNames: ['a'] }, /expressionNames is not a list of 3 names/],
      [{ ...json, expressionNames: 'abc' }, /expressionNames is not a list of 3 names/],
    ]
    for (const [wrong, message] of cases) {
      expect(() => decodeParameters('me.json', wrong)).toThrow(message)
      expect(() => decodeParameters('me.json', wrong)).toThrow(ValueError)
    }
  })
})

describe('expressionCoefficients', () => {
  const names = ['eyeBlinkLeft', 'jawOpen']

  it('value: named expressions stand where the model has them', () => {
    expect([...expressionCoefficients('app', { jawOpen: 0.5 }, names)]).toEqual([0, 0.5])
    expect([...expressionCoefficients('app', {}, names)]).toEqual([0, 0])
  })

  it('throws: on a name that the model does not have', () => {
    expect(() => expressionCoefficients('app', { smirk: 1 }, names, 'model "tiny"')).toThrow(
      'app has "smirk", model "tiny" has eyeBlinkLeft, jawOpen',
    )
    expect(() => expressionCoefficients('app', { smirk: 1 }, [])).toThrow('the model has no names')
  })
})
