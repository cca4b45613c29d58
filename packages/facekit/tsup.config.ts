import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

export default defineConfig({
  ...baseOptions,
  // Chunks of this package have no side effects: without this their empty imports stay, and bundlers of apps warn of each.
  treeshake: { moduleSideEffects: 'no-external' },
  entry: ['src/index.ts', 'src/worker.ts', 'src/array-view.ts'],
  dts: { entry: ['src/index.ts', 'src/array-view.ts'] },
})
