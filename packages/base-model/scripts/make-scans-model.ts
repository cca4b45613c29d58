/** Makes the base model's variant `scans` and writes data/base-model-scans.safetensors, the same bytes every time. Needs
 * ../shared/data/ict-facekit beside the repository, and some two minutes:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/make-scans-model.ts [--out file]
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeFileAtomic } from '@facekit/core'
import { buildScansModel } from './scans/build-scans-model.js'
import { readIctModel } from './scans/ict-model.js'

const { values } = parseArgs({
  options: {
    out: {
      type: 'string',
      default: fileURLToPath(new URL('../data/base-model-scans.safetensors', import.meta.url)),
    },
  },
})
const started = performance.now()
const bytes = buildScansModel(readIctModel(), (stage) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s ${stage}`),
)
await writeFileAtomic(values.out, bytes)
console.log(`${values.out}: ${bytes.length} bytes`)
