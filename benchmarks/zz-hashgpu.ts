import { createHash } from 'node:crypto'
import { initEngine } from '@facekit/engine'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { createTinyFace } from '@facekit/testing'
import * as tf from '@tensorflow/tfjs-core'
await initEngine({ backend: 'webgpu' })
const s = createFaceSynthesizer(createTinyFace(), { size: 32, batch: 6, seed: 5 })
const h = createHash('sha256')
for (let i = 0; i < 4; i++) {
  const { parameters, ...rest } = s.next()
  for (const t of Object.values(rest) as tf.Tensor[]) h.update(Buffer.from((await t.data()).buffer.slice(0)))
  console.log('webgpu synthetic', i, h.copy().digest('hex').slice(0, 16))
}
process.exit(0)
