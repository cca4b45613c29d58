import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

export default defineConfig({
  ...baseOptions,
  entry: ['src/index.ts', 'src/main.ts', 'src/annotate-worker.ts'],
  platform: 'node',
  dts: { entry: 'src/index.ts' },
})
