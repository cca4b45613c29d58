import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

// One file with three.js inside, as small as it gets: a page loads it as it is, from anywhere. Of our own packages the sources are taken: a built package
// is one module, and all that it imports would come along.
export default defineConfig({
  ...baseOptions,
  platform: 'browser',
  noExternal: [/^three/, /^@facekit\//],
  esbuildOptions: (options) => {
    options.conditions = ['@facekit/source']
  },
  treeshake: false,
  minify: true,
  sourcemap: false,
})
