import { readFileSync } from 'node:fs'
import { OptionDefaults } from 'typedoc'

// TypeDoc looks for tsdoc.json beside each package's tsconfig only.
const { tagDefinitions } = JSON.parse(readFileSync(new URL('./tsdoc.json', import.meta.url), 'utf8'))
const blockTags = [...OptionDefaults.blockTags, ...tagDefinitions.map(({ tagName }) => tagName)]

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'facekit',
  entryPointStrategy: 'packages',
  entryPoints: ['packages/*'],
  exclude: ['packages/testing'],
  // Types are checked by `npm run typecheck`, tests of a package with what others declare.
  packageOptions: {
    entryPoints: ['src/index.ts'],
    excludeExternals: true,
    blockTags,
    skipErrorChecking: true,
  },
  plugin: ['./scripts/typedoc-categories.mjs'],
  blockTags,
  defaultCategory: 'In general',
  out: 'docs/site',
  readme: 'README.md',
  highlightLanguages: ['bash', 'bibtex', 'html', 'javascript', 'json', 'typescript'],
  skipErrorChecking: true,
}
