import type { Options } from 'tsup'

type Plugin = NonNullable<Options['plugins']>[number]

/** Marks `import('node:...')` as none of the bundler's business: webpack knows no such scheme, and code for browsers never comes there. */
const nodeImports: Plugin = {
  name: 'node-imports',
  renderChunk: (code) => ({
    code: code.replace(/\bimport\((?=['"]node:)/g, 'import(/* webpackIgnore: true */ '),
  }),
}

/** What every package's build has in common: one ES module with declarations, nothing bundled from node_modules. */
export const baseOptions: Options = {
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  // Packages say in their field "browser" that node:fs/promises is not there; without its prefix it would not be recognised.
  removeNodeProtocol: false,
  external: [/^node:/],
  plugins: [nodeImports],
}
