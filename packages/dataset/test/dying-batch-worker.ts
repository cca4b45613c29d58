import { parentPort } from 'node:worker_threads'
import '../src/batches/batch-worker.js'

// The thread of datasetBatches, which ends by an error when it is asked for its third sample.
let asked = 0
parentPort!.on('message', () => {
  if (++asked === 3) throw new Error('out of memory')
})
