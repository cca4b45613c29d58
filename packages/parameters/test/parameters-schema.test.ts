import { readFile } from 'node:fs/promises'
import { encodeParameters, parametersSchema, readParameters, neutralParameters } from '@facekit/parameters'
import { useBackend } from '@facekit/testing'
import Ajv from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'

describe('parametersSchema', () => {
  it('value: it is what the package publishes', async () => {
    const published = await readFile(new URL('../parameters.schema.json', import.meta.url), 'utf8')
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(parametersSchema())))
  })

  it('value: a face passes, and what decodeParameters refuses does not', async () => {
    await useBackend('cpu')
    const validate = new Ajv().compile(parametersSchema())
    const [face] = await readParameters(neutralParameters({ identity: 2, expression: 1, albedo: 3 }))
    const json = encodeParameters(face, ['jawOpen'])
    expect(validate({ ...json, anything: 'else' })).toBe(true)
    const { pose, illumination } = json
    for (const broken of [
      { ...json, identity: ['a'] },
      { ...json, pose: { ...pose, scale: -1 } },
      { ...json, pose: { ...pose, rotation: [0, 0] } },
      { ...json, illumination: { ...illumination, sphericalHarmonics: [[1, 1, 1]] } },
      { ...json, albedo: undefined },
    ])
      expect(validate(JSON.parse(JSON.stringify(broken)))).toBe(false)
  })
})
