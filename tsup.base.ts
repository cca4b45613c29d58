import type { Options } from 'tsup'

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
}
