// A process of benchmarks/annotate.ts.
import { annotate } from '@facekit/annotate'
import { runLabelWorker } from '@facekit/dataset'
import { initEngine } from '@facekit/engine'

runLabelWorker(async () => {
  await initEngine({ backend: 'wasm', threads: 1 })
  return (picture) => annotate(picture)
})
