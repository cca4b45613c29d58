/** Makes the model of what a head has beyond the face and writes data/head.safetensors, the same bytes every time. Needs
 * ../shared/data/ict-facekit beside the repository, and some twenty seconds:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/make-head-model.ts [--out file]
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { writeFileAtomic } from '@facekit/core'
import { loadBaseModel } from '../src/index.js'
import { buildHeadModel } from './head/build-head-model.js'
import { readIctModel } from './scans/ict-model.js'

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: fileURLToPath(new URL('../data/head.safetensors', import.meta.url)) },
  },
})
const started = performance.now()
const bytes = await buildHeadModel(
  await loadBaseModel(),
  readIctModel(),
  readIctModel(undefined, 'head'),
  readIctModel(undefined, 'mouth'),
  (stage) => console.log(`${((performance.now() - started) / 1000).toFixed(0)} s ${stage}`),
)
await writeFileAtomic(values.out, bytes)
console.log(`${values.out}: ${bytes.length} bytes`)
