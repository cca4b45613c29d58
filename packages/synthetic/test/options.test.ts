import { ValueError } from '@facekit/core'
import { checkSynthesizerOptions, createFaceSynthesizer, type SynthesizerOptions } from '@facekit/synthetic'
import { createTinyFace, useBackend } from '@facekit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const model = createTinyFace()
beforeAll(() => useBackend('cpu'))

describe('options', () => {
  const wrong: [string, unknown, string][] = [
    ['a size that is no multiple of 8', { size: 100 }, 'size is 100, expected a multiple of 8'],
    ['a batch of nothing', { batch: 0 }, 'batch is 0'],
    ['a share above 1', { occluders: { hand: 1.5 } }, 'occluders.hand is 1.5, expected a number from 0 to 1'],
    ['an unknown name', { ligth: {} }, 'unknown "ligth"'],
    ['an unknown name in a group', { camera: { fog: 1 } }, 'camera has an unknown "fog"'],
    ['a text', { pose: { yaw: '30' } }, 'pose.yaw is "30", expected a number'],
    ['a range the wrong way round', { framing: { scale: [2, 1] } }, 'framing.scale is [2,1]'],
    ['a group that is none', { light: 3 }, 'light is 3, expected an object'],
    [
      'too many coefficients',
      { fixed: { identity: Array.from({ length: 7 }, () => 0) } },
      'model "tiny-face" has 6',
    ],
    ['an unknown expression', { fixed: { expression: { frown: 1 } } }, 'fixed.expression has "frown"'],
    ['a light of the wrong length', { fixed: { sphericalHarmonics: [1] } }, 'has 1 numbers, expected 27'],
  ]
  it.each(wrong)('throws: %s', (_name, options, message) => {
    expect(() => createFaceSynthesizer(model, options as SynthesizerOptions)).toThrow(message)
    expect(() => checkSynthesizerOptions('faces.json', options, model)).toThrow(ValueError)
    expect(() => checkSynthesizerOptions('faces.json', options, model)).toThrow(/^faces\.json/)
  })

  it('throws: a state of another seed, or none', () => {
    const synthesizer = createFaceSynthesizer(model, { size: 32, batch: 1, seed: 4 })
    expect(() => synthesizer.restore({ seed: 5, picture: 0 })).toThrow('seed is 5, expected 4')
    expect(() => synthesizer.restore(undefined)).toThrow(ValueError)
    expect(() => synthesizer.restore({ seed: 4, picture: -1 })).toThrow(ValueError)
    synthesizer.dispose()
  })
})
