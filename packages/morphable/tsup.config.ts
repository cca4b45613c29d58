import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

// The worker is a file of its own, since Node starts it by its address.
export default defineConfig({
  ...baseOptions,
  entry: { index: 'src/index.ts', 'hdf5-worker': 'src/hdf5/hdf5-worker.js' },
})
