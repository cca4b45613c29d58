/** How long the shipped regressor takes for a picture: as it was trained, and with its normalisations folded; one at a time, and 32.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/regressor-speed.ts [--backend webgpu,wasm,cpu] [--weights file] [--seconds 2]
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { packParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { loadPretrainedRegressor } from '@facekit/regressor-weights'
import * as tf from '@tensorflow/tfjs-core'
import { chooseBackends, printTable, summarize, time } from './benchmark.js'

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string' },
    weights: { type: 'string' },
    seconds: { type: 'string', default: '2' },
  },
})
const rows: Record<string, string | number>[] = []
for (const backend of await chooseBackends(options.backend)) {
  const { reason } = await initEngine({ backend })
  console.log(`${backend}: ${reason}`)
  for (const trainable of [true, false]) {
    const start = performance.now()
    const regressor = await loadPretrainedRegressor({
      trainable,
      ...(options.weights && { source: await readFile(options.weights) }),
    })
    const loading = performance.now() - start
    for (const batch of [1, 32]) {
      // The crop of `annotate`, which the network takes smaller.
      const images = tf.randomUniform([batch, 224, 224, 3], 0, 1, 'float32', 1) as tf.Tensor4D
      const run = () => tf.tidy(() => packParameters(regressor.predict(images)))
      const first = await time(run)
      for (let i = 0; i < 3; i++) await time(run)
      const times: number[] = []
      const began = performance.now()
      do times.push(await time(run))
      while (performance.now() - began < 1000 * Number(options.seconds))
      const { fastest, median, runs } = summarize(times)
      rows.push({
        backend,
        network: trainable ? 'as trained' : 'folded',
        batch,
        'median ms': median,
        'fastest ms': fastest,
        'a picture ms': median / batch,
        'first ms': first,
        'loading ms': loading,
        runs,
      })
      images.dispose()
    }
    regressor.dispose()
  }
}
printTable(rows)
process.exit(0)
