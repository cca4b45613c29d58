import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

// The thread's script is a file of its own, since Node starts it by its address.
export default defineConfig({
  ...baseOptions,
  entry: { index: 'src/index.ts', 'batch-worker': 'src/batches/batch-worker.ts' },
})
