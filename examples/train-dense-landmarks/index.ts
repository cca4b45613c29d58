/** Trains the network for dense landmarks; see README.md. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { saveDenseNetwork } from '@facekit/annotate'
import { createDenseBatches, type DenseBatch } from '@facekit/annotate-training'
import { loadBaseModel } from '@facekit/base-model'
import { writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { createFaceSynthesizer, type SynthesizerOptions } from '@facekit/synthetic'
import { calibrateDense } from './calibrate-dense.js'
import { denseErrors } from './dense-errors.js'
import { trainDenseLandmarks } from './train-dense-landmarks.js'

const { values } = parseArgs({
  options: {
    iterations: { type: 'string', default: '20000' },
    seconds: { type: 'string' },
    'wall-seconds': { type: 'string' },
    from: { type: 'string' },
    'total-seconds': { type: 'string' },
    width: { type: 'string', default: '1.25' },
    batch: { type: 'string', default: '64' },
    'held-out': { type: 'string', default: '3' },
    uses: { type: 'string', default: '4' },
    'learning-rate': { type: 'string', default: '2e-3' },
    folder: { type: 'string', default: 'runs/dense-landmarks' },
    model: { type: 'string' },
    backend: { type: 'string', default: 'auto' },
    output: { type: 'string', default: 'dense-landmarks.safetensors' },
  },
})
const { backend } = await initEngine({ backend: values.backend as 'auto' })
console.log(`backend ${backend}`)
const model = await loadBaseModel({ variant: 'scans', source: values.model })
/** Cameras from a selfie to a telephoto lens, heads turned to any side, faces that fill the crop. */
const settings: SynthesizerOptions = {
  size: 224,
  pose: { yaw: 90, pitch: 45, roll: 25 },
  framing: { scale: [0.75, 1.05], shift: 0.02, distance: [300, 4000] },
}
const heldOut: DenseBatch[] = []
const other = createFaceSynthesizer(model, { ...settings, batch: Number(values.batch), seed: 20_261 })
const batches = createDenseBatches(other, { seed: 20_261 })
while (heldOut.length < Number(values['held-out'])) {
  const start = performance.now()
  const batch = await batches.next()
  await batch[1].data()
  heldOut.push(batch)
  console.log(`held out: ${values.batch} pictures in ${(performance.now() - start).toFixed(0)} ms`)
}
batches.dispose()
other.dispose()
let last: Readonly<Record<string, number>> | undefined
/** What writing the results takes at the end. */
const RESERVE = 20
const seconds =
  values['wall-seconds'] === undefined
    ? values.seconds && Number(values.seconds)
    : Math.max(1, Number(values['wall-seconds']) - RESERVE - performance.now() / 1000)
const { network, result } = await trainDenseLandmarks({
  model,
  synthesizer: createFaceSynthesizer(model, { ...settings, batch: Number(values.batch), seed: 1 }),
  heldOut,
  uses: Number(values.uses),
  iterations: Number(values.iterations),
  learningRate: Number(values['learning-rate']),
  width: Number(values.width),
  ...(seconds && { seconds }),
  ...(values.from !== undefined && { from: await readFile(values.from), start: 0 }),
  ...(values['total-seconds'] !== undefined && { totalSeconds: Number(values['total-seconds']) }),
  folder: values.folder,
  evaluateEvery: 4000,
  checkpointEvery: 4000,
  onProgress: ({ iteration, loss, speed, seconds, evaluation }) => {
    if (iteration % 100 !== 0) return
    console.log(`${iteration} ${seconds.toFixed(0)} s ${speed.toFixed(1)}/s loss ${loss.toFixed(3)}`)
    if (evaluation !== last) console.log((last = evaluation))
  },
})
console.log(result)
console.log('averages', await denseErrors(network, heldOut))
const calibration = await calibrateDense(network, heldOut)
console.log('deviations are multiplied by', calibration)
const metadata = {
  model: model.name,
  training: `rendered faces alone (@facekit/synthetic with ${model.name}): ${result.iterations} iterations of ${values.batch} pictures`,
  license: 'Apache-2.0',
}
await writeFileAtomic(values.output, await saveDenseNetwork(network, { calibration, metadata }))
process.exit(0)
