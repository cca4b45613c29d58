import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))

export default defineConfig({
  ...baseOptions,
  // They lie beside the code, where bundlers find them.
  onSuccess: async () => {
    for (const name of ['tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'])
      await copyFile(join(tfjs, name), join('dist', name))
  },
})
