import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

// docs/api.json is the inventory of public names and their signatures: one that goes missing or changes breaks the programs of
// others. It is generated; a change that is meant is written down with HINT.
const HINT = 'the public API differs from docs/api.json; if that is meant, run `node scripts/make-api.mjs`'

type Api = Record<string, Record<string, string | Record<string, string>>>

const root = fileURLToPath(new URL('../../..', import.meta.url))
const print = [join(root, 'scripts/make-api.mjs'), '--print']
const actual = JSON.parse(execFileSync(process.execPath, print, { encoding: 'utf8', maxBuffer: 1e8 })) as Api
const inventory = JSON.parse(readFileSync(join(root, 'docs/api.json'), 'utf8')) as Api

/** What the design promises: these names may never leave the inventory. */
const promised: Record<string, string[]> = {
  parameters: ['FaceParameters', 'packParameters', 'unpackParameters', 'neutralParameters'],
  engine: ['initEngine'],
  morphable: [
    'MorphableModel',
    'loadMorphableModel',
    'saveMorphableModel',
    'evaluateShape',
    'evaluateAlbedo',
    'vertexNormals',
    'cropModel',
    'sampleCoefficients',
  ],
  'base-model': ['loadBaseModel'],
  rasterizer: ['rasterize', 'interpolate', 'antialias', 'sampleTexture'],
  illumination: ['sphericalHarmonicsBasis', 'shadeDiffuse', 'shadeSpecular'],
  render: ['renderFace', 'FaceRendering'],
  losses: [
    'identityLoss',
    'photometricLoss',
    'landmarkLoss',
    'innerMouthLoss',
    'regularizationLoss',
    'uniformLoss',
    'LossTerm',
    'hybridLoss',
    'paperLossTerms',
  ],
  annotate: ['annotate', 'alignFace', 'embed', 'FaceAnnotation'],
  fit: ['fitFace', 'FitResult'],
}

describe('the public names', () => {
  it.each(Object.keys({ ...inventory, ...actual }))('value: %s exports what docs/api.json says', (name) => {
    // oxlint-disable-next-line vitest/valid-expect -- the second argument is the message, which vitest has
    expect(actual[name], HINT).toEqual(inventory[name])
  })

  it.each(Object.entries(promised))('value: %s keeps the promises of the design', (name, expected) => {
    expect(Object.keys(actual[name])).toEqual(expect.arrayContaining(expected))
  })
})
