import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

export default defineConfig({
  ...baseOptions,
  platform: 'node',
  plugins: [],
  entry: ['src/index.ts', 'src/main.ts'],
})
