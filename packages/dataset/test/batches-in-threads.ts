import * as tf from '@tensorflow/tfjs-core'
import { datasetBatches, openDataset } from '@facekit/dataset'
import { initEngine } from '@facekit/engine'

// node batches-in-threads.js <data set> <threads>: the sums of three batches, then what was skipped.
const [folder, threads] = process.argv.slice(2)
await initEngine({ backend: 'cpu' })
const batches = datasetBatches(await openDataset(folder), {
  batch: 4,
  size: 16,
  seed: 1,
  threads: Number(threads),
})
for (let i = 0; i < 3; i++) {
  const batch = await batches.next()
  console.log(JSON.stringify(batch.map((tensor) => tf.sum(tensor).dataSync()[0])))
  tf.dispose(batch)
}
console.log(JSON.stringify([...batches.skipped]))
// Without dispose: threads that wait for nothing do not keep a process alive.
