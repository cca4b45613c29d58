import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

export default defineConfig({
  ...baseOptions,
  entry: ['src/index.ts', 'src/worker.ts', 'src/array-view.ts'],
  dts: { entry: ['src/index.ts', 'src/array-view.ts'] },
})
