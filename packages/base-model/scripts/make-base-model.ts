/** Writes data/base-model.safetensors, byte for byte the same every time:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/make-base-model.ts
 */
import { fileURLToPath } from 'node:url'
import { writeFileAtomic } from '@facekit/core'
import { buildBaseModel } from './build-base-model.js'

const bytes = buildBaseModel()
const path = fileURLToPath(new URL('../data/base-model.safetensors', import.meta.url))
await writeFileAtomic(path, bytes)
console.log(`${path}: ${bytes.length} bytes`)
