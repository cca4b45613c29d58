import { parentPort } from 'node:worker_threads'

// The thread of datasetBatches (bundled beside this one), which ends by an error when it is asked for its third sample.
const thread = './living-batch-worker.js'
await import(thread)
let asked = 0
parentPort!.on('message', () => {
  if (++asked === 3) throw new Error('out of memory')
})
