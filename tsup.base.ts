import type { Options } from 'tsup'

type Plugin = NonNullable<Options['plugins']>[number]

/** Hides `import('node:...')` from bundlers of apps for browsers, which never come there: webpack knows no such scheme, and esbuild
 * no such package. (Of a constant name esbuild would know better: `trim` it does not compute.) */
const nodeImports: Plugin = {
  name: 'node-imports',
  renderChunk: (code) => ({
    code: code.replace(
      /\bimport\(\s*(?:\/\*[^*]*\*\/\s*)*(['"]node:[a-z0-9/_]+['"])\s*\)/g,
      'import(/* webpackIgnore: true */ /* @vite-ignore */ $1.trim())',
    ),
  }),
}

/** What every package's build has in common: one ES module, nothing bundled from node_modules. Declarations are made for all packages at once, by
 * scripts/build-types.mjs. */
export const baseOptions: Options = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  sourcemap: true,
  clean: true,
  treeshake: true,
  removeNodeProtocol: false,
  external: [/^node:/],
  plugins: [nodeImports],
}
