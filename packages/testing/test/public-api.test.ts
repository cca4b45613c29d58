import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

// docs/api.json is the inventory of public names; a name that goes missing breaks the programs of others. Names that are
// added: `UPDATE_API=1 npx vitest run packages/testing/test/public-api.test.ts` writes them down.
const root = fileURLToPath(new URL('../../..', import.meta.url))
const inventoryFile = join(root, 'docs/api.json')

/** The names that an index.ts exports: values and types. */
function exportedNames(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)
  return source.statements
    .flatMap((statement) => {
      if (!ts.isExportDeclaration(statement)) return []
      const clause = statement.exportClause
      if (!clause || !ts.isNamedExports(clause)) throw new Error(`${path}: export names one by one`)
      return clause.elements.map((element) => element.name.text)
    })
    .sort()
}

const names = Object.fromEntries(
  readdirSync(join(root, 'packages'))
    .filter((name) => name !== 'testing')
    .sort()
    .map((name) => [name, exportedNames(join(root, 'packages', name, 'src/index.ts'))]),
)
if (process.env.UPDATE_API) {
  const { writeFileSync } = await import('node:fs')
  writeFileSync(inventoryFile, `${JSON.stringify(names, null, 2)}\n`)
}
const inventory = JSON.parse(readFileSync(inventoryFile, 'utf8')) as Record<string, string[]>

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
  it.each(Object.keys({ ...inventory, ...names }))('value: %s exports what docs/api.json says', (name) => {
    expect(names[name]).toEqual(inventory[name])
  })

  it.each(Object.entries(promised))('value: %s keeps the promises of the design', (name, expected) => {
    expect(names[name]).toEqual(expect.arrayContaining(expected))
  })
})
