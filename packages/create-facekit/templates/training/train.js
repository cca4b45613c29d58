// A network learns to read faces off rendered pictures, with a loss of your own beside the usual ones. Interrupted, it goes on where it was.
//   node train.js [iterations]
import { mkdir, writeFile } from 'node:fs/promises'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { createRegressor, mobileBackbone, saveRegressor } from '@facekit/regressor'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { cosineSchedule, renderedBatches, supervisedTerms, train } from '@facekit/trainer'
import { myLoss } from './my-loss.js'

const iterations = Number(process.argv[2] ?? 400)
const folder = 'runs/first'
await mkdir(folder, { recursive: true })

const engine = await initEngine()
console.log(`on ${engine.backend}: ${engine.reason}`)

const model = await loadBaseModel()
const regressor = createRegressor({
  backbone: mobileBackbone({ width: 0.35, features: 64 }),
  layout: model.layout,
  inputSize: 64,
  faceModel: model.name,
  expressionRange: model.shape.expressionRange,
  seed: 1,
})
const synthesizer = createFaceSynthesizer(model, { size: 64, batch: 8, seed: 1 })

const result = await train({
  regressor,
  model,
  rendered: renderedBatches(synthesizer),
  supervision: [...supervisedTerms(), myLoss],
  iterations,
  learningRate: cosineSchedule(1e-3, iterations),
  clipNorm: 20,
  folder,
  checkpointEvery: 100,
  resume: 'auto',
  onProgress: ({ iteration, loss, terms }) => {
    if (iteration % 10 === 0 || iteration === iterations)
      console.log(`${iteration}: loss ${loss.toFixed(3)}, my loss ${terms[myLoss.name].toFixed(4)}`)
  },
})

await writeFile(`${folder}/regressor.safetensors`, await saveRegressor(regressor, { precision: 'float16' }))
console.log(`loss ${result.loss.toFixed(3)}; ${folder}/regressor.safetensors, ${folder}/report.html`)
process.exit(0)
