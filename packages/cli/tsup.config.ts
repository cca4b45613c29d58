import { defineConfig } from 'tsup'
import { baseOptions } from '../../tsup.base.ts'

export default defineConfig({
  ...baseOptions,
  entry: {
    index: 'src/index.ts',
    main: 'src/main.ts',
    'annotate-worker': 'src/annotate/annotate-worker.ts',
    'evaluate-worker': 'src/evaluate/evaluate-worker.ts',
  },
  platform: 'node',
})
