/** Trains the stacked hourglass network for 68 landmarks; see README.md. */
import { parseArgs } from 'node:util'
import { saveHourglass } from '@facekit/annotate'
import { openLandmarks } from '@facekit/annotate-training'
import { loadBaseModel } from '@facekit/base-model'
import { writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { splitByIdentity, trainLandmarks } from './train-landmarks.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    iterations: { type: 'string', default: '20000' },
    seconds: { type: 'string' },
    batch: { type: 'string', default: '16' },
    rendered: { type: 'string', default: '16' },
    folder: { type: 'string', default: 'runs/landmarks' },
    output: { type: 'string', default: 'hourglass.safetensors' },
  },
})
const { backend } = await initEngine()
console.log(`backend ${backend}`)
const { train, heldOut } = splitByIdentity(positionals[0] ? await openLandmarks(positionals[0]) : [])
const rendered = Number(values.rendered)
const synthesizer =
  rendered > 0 ? createFaceSynthesizer(await loadBaseModel(), { size: 160, batch: rendered }) : undefined
const { hourglass, result } = await trainLandmarks({
  photographs: train,
  heldOut: heldOut.slice(0, 256),
  synthesizer,
  batch: Number(values.batch),
  iterations: Number(values.iterations),
  seconds: values.seconds === undefined ? undefined : Number(values.seconds),
  folder: values.folder,
  onProgress: ({ iteration, loss, speed, evaluation }) => {
    if (iteration % 50 === 0)
      console.log(iteration, loss.toFixed(3), `${speed.toFixed(1)}/s`, evaluation ?? '')
  },
})
console.log(result)
await writeFileAtomic(values.output, await saveHourglass(hourglass, { precision: 'float16' }))
