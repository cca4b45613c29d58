/** Table 1 of the paper: the same training with each loss ablated, and how well the colours of held-out people's photographs are met.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/ablation.ts --dataset photographs --from regressor.safetensors [--iterations 1500] [--batch 32]
 *     [--rate 2e-4] [--backend webgpu] [--model file] [--embedder folder] [--json results.json]
 *
 * The photographs are labelled by `facekit annotate` and chosen by packages/regressor-weights/scripts/prepare-photographs.ts; the start is what the recipe
 * packages/regressor-weights/recipes/rendered-faces.json gives. Every run begins with the same weights and sees the same photographs in the same
 * order; photographs alone, the paper's weights (Eq. 6), the term of the mouth from the start.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { loadEmbedder, setWeightsLocation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { datasetBatches, openDataset } from '@facekit/dataset'
import { initEngine, type BackendName } from '@facekit/engine'
import { paperLossTerms } from '@facekit/losses'
import { loadRegressor } from '@facekit/regressor'
import { cosineSchedule, evaluateRegressor, train, warmup, type PhotoBatch } from '@facekit/trainer'
import { printTable, writeJson } from './benchmark.js'

const { values: o } = parseArgs({
  options: {
    dataset: { type: 'string' },
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
/** Share of the people that is held out, and most of their photographs that are looked at. */
const [SHARE, LOOKED_AT] = [0.138, 320]
if (o.embedder) setWeightsLocation(pathToFileURL(`${resolve(o.embedder)}/`))
const { reason } = await initEngine({ backend: o.backend as BackendName })
console.log(reason)
const model = await loadBaseModel(o.model ? { source: o.model } : {})
const { embed } = await loadEmbedder()
const dataset = await openDataset(o.dataset!)

const heldOut: PhotoBatch[] = []
const plain = { split: { part: 'held-out' as const, share: SHARE }, shuffle: false, augment: false }
const others = datasetBatches(dataset, { ...plain, batch: 16 })
while (heldOut.length * 16 + 16 <= Math.min(LOOKED_AT, others.length)) heldOut.push(await others.next())
others.dispose()

const rows: Record<string, string | number>[] = []
const began = performance.now()
for (const ablated of [
  'nothing',
  'identity',
  'photometric',
  'landmark',
  'innerMouth',
  'regularization',
  'uniform',
]) {
  const regressor = await loadRegressor(o.from!, { for: model })
  const batches = datasetBatches(dataset, {
    batch,
    seed: 1,
    split: { part: 'train', share: SHARE },
    deviceBytes: 4e9,
  })
  const weights = { innerMouth: 1.3e-3, ...(ablated !== 'nothing' && { [ablated]: 0 }) }
  let ended = 'yes'
  const result = await train({
    regressor,
    model,
    dataset: batches,
    losses: paperLossTerms({ weights, identityBackground: 'picture' }),
    embed,
    iterations,
    learningRate: warmup(cosineSchedule(Number(o.rate), iterations), 50),
    clipNorm: 20,
    seconds: Math.max(1, Number(o.seconds) - (performance.now() - began) / 1000),
  }).catch((error: Error) => {
    ended = error.message
    return { iterations: 0, seconds: NaN }
  })
  const { colorError, landmarkError } = await evaluateRegressor(regressor, model, heldOut)
  batches.dispose()
  regressor.dispose()
  rows.push({
    ablated,
    'colour error': Number(colorError.toFixed(4)),
    'landmarks %': Number((100 * landmarkError).toFixed(2)),
    iterations: result.iterations,
    'per second': Number((result.iterations / result.seconds).toFixed(1)),
    ended,
  })
  console.log(JSON.stringify(rows.at(-1)))
}
console.log(
  `${dataset.length} photographs, ${heldOut.length * 16} of them of other people looked at; ${iterations} iterations of ${batch}, ${model.name}`,
)
printTable(rows)
await writeJson(o.json, { iterations, batch, rows })
process.exit(0)
