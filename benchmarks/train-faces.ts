/** How fast `train` of @facekit/trainer goes, through its whole loop: batches, recorded steps, log, checkpoints, resumption.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/train-faces.ts [options]
 *
 *   --backend webgpu|wasm   default webgpu        --backbone resnet50|resnet18|mobile   default resnet50
 *   --batch N   default 32                        --input N   pixels, default 224
 *   --seconds N for each row, after its first steps, default 6          --model FILE   face model; default the base model
 *   --embedder FOLDER   of the identity network's weights; default: where the package has them     --no-identity
 *
 * Photographs are played by rendered faces, too. SMALL=1 takes a tiny network, small pictures and few iterations.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { loadEmbedder, setWeightsLocation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine, type BackendName } from '@facekit/engine'
import { paperLossTerms } from '@facekit/losses'
import { createRegressor, type BackboneName } from '@facekit/regressor'
import { createFaceSynthesizer } from '@facekit/synthetic'
import {
  renderedBatches,
  train,
  type BatchSource,
  type PhotoBatch,
  type TrainOptions,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

const { values: o } = parseArgs({
  options: {
    backend: { type: 'string', default: 'webgpu' },
    backbone: { type: 'string', default: 'resnet50' },
    batch: { type: 'string', default: '32' },
    input: { type: 'string', default: '224' },
    seconds: { type: 'string', default: '6' },
    model: { type: 'string' },
    embedder: { type: 'string' },
    'no-identity': { type: 'boolean', default: false },
  },
})
const small = process.env.SMALL === '1'
const [batch, size, seconds] = small ? [2, 48, 60] : [o.batch, o.input, o.seconds].map(Number)
const { backend, reason } = await initEngine({ backend: o.backend as BackendName })
const model = await loadBaseModel(o.model ? { source: o.model } : {})
if (o.embedder) setWeightsLocation(pathToFileURL(`${resolve(o.embedder)}/`))
const embedder = o['no-identity'] || small ? undefined : await loadEmbedder()
const backbone = small ? 'mobile' : (o.backbone as BackboneName)
console.log(`${backend}: ${reason}; ${backbone}, batch ${batch}, ${size} px, ${model.vertexCount} vertices`)

const synthesizer = createFaceSynthesizer(model, { batch, size, seed: 1 })
const others = createFaceSynthesizer(model, { batch, size, seed: 2 })
const rendered = renderedBatches(synthesizer)
const photographs: BatchSource<PhotoBatch> = {
  next: async () => {
    const { image, faceRegion, skin, innerMouth, landmarks, ...rest } = others.next()
    tf.dispose(rest as unknown as tf.TensorContainer)
    return [image, faceRegion, skin, innerMouth, landmarks]
  },
  state: () => others.state(),
  restore: (state) => others.restore(state),
}
const kept = await photographs.next()
const still: BatchSource<PhotoBatch> = {
  ...photographs,
  next: async () => kept.map((tensor) => tf.clone(tensor)) as PhotoBatch,
}
const { expressionRange } = model.shape
const regressor = createRegressor({
  backbone,
  layout: model.layout,
  inputSize: size,
  seed: 1,
  expressionRange,
})
const losses = paperLossTerms({ weights: { innerMouth: 1.3e-3, ...(embedder ? {} : { identity: 0 }) } })
const root = await mkdtemp(join(tmpdir(), 'facekit-train-faces-'))

async function row(name: string, options: Partial<TrainOptions>) {
  let first = 0
  let begun = 0
  const controller = new AbortController()
  const { iterations, waitShare, loss, checkpoint } = await train({
    regressor,
    model,
    losses,
    ...(embedder && { embed: (images) => embedder.embed(images) }),
    iterations: small ? 5 : 1_000_000,
    seconds: 60 + seconds,
    signal: controller.signal,
    logEvery: 10,
    ...options,
    onProgress: ({ iteration }) => {
      // The first steps compile and are recorded.
      if (first) {
        if (performance.now() - begun > 1000 * seconds) controller.abort()
      } else if (iteration >= (small ? 1 : 12)) {
        first = iteration
        begun = performance.now()
      }
    },
  })
  const perIteration = (performance.now() - begun) / (iterations - first)
  console.log(
    `${name.padEnd(44)} ${perIteration.toFixed(1).padStart(7)} ms an iteration, waits ${(100 * waitShare).toFixed(0).padStart(2)} %, ${iterations} iterations, loss ${loss.toPrecision(4)}, ${tf.memory().numTensors} tensors`,
  )
  return checkpoint
}

await row('photographs that stand still', { dataset: still })
await row('the same, clipped', { dataset: still, clipNorm: 1 })
await row('photographs rendered on the fly', { dataset: photographs })
await row('rendered faces, supervised', { rendered })
await row('both', { dataset: photographs, rendered })
await row('both, two batches an iteration', { dataset: photographs, rendered, accumulate: 2 })
const folder = join(root, 'kept')
const heldOut = { batches: [kept], every: small ? 2 : 50, faces: 4 }
const last = await row('both, logged, evaluated every 50', {
  dataset: photographs,
  rendered,
  folder,
  heldOut,
})
const begun = performance.now()
await train({
  regressor,
  model,
  losses,
  ...(embedder && { embed: (images) => embedder.embed(images) }),
  dataset: photographs,
  rendered,
  folder,
  resume: true,
  seconds: 0,
})
console.log(
  `resuming from a checkpoint of ${((await stat(last!)).size / 1e6).toFixed(0)} MB: ${(performance.now() - begun).toFixed(0)} ms`,
)
if (process.env.OUT) {
  const { cp, mkdir, readdir } = await import('node:fs/promises')
  await mkdir(join(process.env.OUT, 'train-faces'), { recursive: true })
  for (const name of await readdir(folder)) {
    if (/^(report|events)/.test(name))
      await cp(join(folder, name), join(process.env.OUT, 'train-faces', name))
  }
}
await rm(root, { recursive: true, force: true })
