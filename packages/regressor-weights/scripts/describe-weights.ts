// Writes into the weights' file what they are: licence, training, and the digest of the face model that their coefficients are of.
//   node --conditions=@facekit/source --import tsx packages/regressor-weights/scripts/describe-weights.ts <trained.safetensors> <base-model-learned.safetensors>
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readSafetensors, writeFileAtomic, writeSafetensors } from '@facekit/core'

const [trained, faceModel] = process.argv.slice(2)
const { metadata, tensors } = readSafetensors(await readFile(trained), trained)
const digest = createHash('sha256')
  .update(await readFile(faceModel))
  .digest('hex')
const described = {
  ...metadata,
  license: 'Apache-2.0',
  faceModelDigest: digest,
  training:
    'stage 1: rendered faces; stage 2: photographs of YouTube Faces and rendered faces; see MODEL-CARD.md',
}
const target = new URL('../weights/regressor.safetensors', import.meta.url)
await writeFileAtomic(target.pathname, writeSafetensors({ metadata: described, tensors }))
