// A training that is to be killed: node ... resume-process.ts <folder> <iterations>. Goes on where it was, and prints each loss, to the bit.
import { initEngine } from '@facekit/engine'
import { runTraining } from '@facekit/trainer'
import { tinyBatches, tinyLoss, tinyNetwork } from './training-fixtures.js'

const [folder, iterations] = process.argv.slice(2)
await initEngine({ backend: 'wasm', threads: 1 })
const model = tinyNetwork()
await runTraining({
  model,
  loss: tinyLoss(model),
  batches: tinyBatches(),
  iterations: Number(iterations),
  learningRate: (iteration) => 0.02 / (1 + iteration / 100),
  accumulate: 2,
  clipNorm: 1,
  folder,
  checkpointEvery: 3,
  keepCheckpoints: 2,
  logEvery: 1,
  resume: 'auto',
  onProgress: ({ iteration, loss }) => void process.stdout.write(`${iteration} ${loss}\n`),
})
