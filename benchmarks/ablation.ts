/** Table 1 of the paper: the same training with each loss left out, and how well the colours of held-out people's photographs are met.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/ablation.ts --photos pack.safetensors --from stage1.safetensors [--iterations 1500] [--batch 32]
 *     [--rate 2e-4] [--backend webgpu] [--model file] [--embedder folder] [--json results.json]
 *
 * The pack is made by packages/regressor-weights/scripts/pack-photographs.ts, the start by train-regressor.ts --stage 1. Every run begins with the same
 * weights and sees the same photographs in the same order; photographs alone, the paper's weights (Eq. 6), the term of the mouth from the start.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { loadEmbedder, setWeightsLocation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine, type BackendName } from '@facekit/engine'
import { hybridLoss } from '@facekit/losses'
import { loadRegressor } from '@facekit/regressor'
import { renderFace } from '@facekit/render'
import { cosineSchedule, runTraining, warmup } from '@facekit/trainer'
import { decode } from 'jpeg-js'
import { evaluatePhotos } from '../packages/regressor-weights/scripts/evaluate-photos.js'
import {
  createPhotoStore,
  photoBatches,
  photoLabels,
  type PhotoTensors,
} from '../packages/regressor-weights/scripts/photo-batches.js'
import { photoLosses } from '../packages/regressor-weights/scripts/photo-losses.js'
import { readPhotoPack } from '../packages/regressor-weights/scripts/photo-pack.js'
import { printTable, writeJson } from './benchmark.js'

const { values: o } = parseArgs({
  options: {
    photos: { type: 'string' },
    from: { type: 'string' },
    backend: { type: 'string', default: 'webgpu' },
    iterations: { type: 'string', default: '1500' },
    seconds: { type: 'string', default: '1000' },
    batch: { type: 'string', default: '32' },
    rate: { type: 'string', default: '2e-4' },
    model: { type: 'string' },
    embedder: { type: 'string' },
    json: { type: 'string' },
  },
})
const [iterations, batch] = [Number(o.iterations), Number(o.batch)]
if (o.embedder) setWeightsLocation(pathToFileURL(`${resolve(o.embedder)}/`))
const { reason } = await initEngine({ backend: o.backend as BackendName })
console.log(reason)
const model = await loadBaseModel(o.model ? { source: o.model } : {})
const embedder = await loadEmbedder()
const decodeJpeg = (bytes: Uint8Array) => ({ data: decode(bytes, { useTArray: true }).data, channels: 4 })
const set = await readPhotoPack(await readFile(o.photos!), decodeJpeg)
const store = await createPhotoStore(set, embedder.embed)
const view = { width: store.size, height: store.size, contour: 'visible' as const }

const rows: Record<string, string | number>[] = []
const began = performance.now()
for (const leftOut of [
  'none',
  'identity',
  'photometric',
  'landmark',
  'innerMouth',
  'regularization',
  'uniform',
]) {
  const regressor = await loadRegressor(o.from!, { for: model })
  const losses = photoLosses(model, { paper: true, ...(leftOut !== 'none' && { leaveOut: leftOut }) })
  let ended = 'yes'
  const result = await runTraining<PhotoTensors>({
    model: regressor.model,
    iterations,
    learningRate: warmup(cosineSchedule(Number(o.rate), iterations), 50),
    clipNorm: 20,
    seconds: Math.max(1, Number(o.seconds) - (performance.now() - began) / 1000),
    batches: photoBatches(store, batch, 1),
    loss: (_, ...inputs) => {
      const labels = photoLabels(inputs)
      const parameters = regressor.apply(labels.picture, { training: true })
      const rendering = renderFace(model, parameters, view)
      const context = { ...labels, rendering, parameters, embed: embedder.embed }
      return hybridLoss(losses, context, 60_000)
    },
  }).catch((error: Error) => {
    ended = error.message
    return { iterations: 0, seconds: NaN, loss: NaN }
  })
  const scores = await evaluatePhotos(regressor, model, store)
  regressor.dispose()
  rows.push({
    'left out': leftOut,
    'colour error': Number(scores.colorError.toFixed(4)),
    deviation: Number(scores.colorDeviation.toFixed(4)),
    'landmarks %': Number((100 * scores.landmarkError).toFixed(2)),
    iterations: result.iterations,
    'per second': Number((result.iterations / result.seconds).toFixed(1)),
    ended,
  })
  console.log(JSON.stringify(rows.at(-1)))
}
console.log(
  `${store.train.length / 2} photographs to train, ${store.heldOut.length} held out; ${iterations} iterations of ${batch}, ${model.name}`,
)
printTable(rows)
await writeJson(o.json, { iterations, batch, rows })
process.exit(0)
