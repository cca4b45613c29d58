// Trains the regressor that ships: stage 1 on rendered faces of which everything is known, stage 2 on photographs by the hybrid loss, rendered
// faces beside them.
//   node --conditions=@facekit/source --import tsx packages/regressor-weights/scripts/train-regressor.ts --stage 1 --seconds 400 --out runs/stage1
//   ... --stage 2 --from runs/stage1/regressor.safetensors --photos pack.safetensors --seconds 400 --out runs/stage2
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { loadEmbedder, setWeightsLocation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { writeFileAtomic } from '@facekit/core'
import { type FaceParameters, packParameters, unpackParameters } from '@facekit/parameters'
import { initEngine, type BackendName } from '@facekit/engine'
import { hybridLoss } from '@facekit/losses'
import { createRegressor, foldRegressor, loadRegressor, saveRegressor } from '@facekit/regressor'
import { renderFace } from '@facekit/render'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { runTraining, type BatchSource, type TrainingProgress } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'
import { decode } from 'jpeg-js'
import { drawPanels, evaluatePhotos } from './evaluate-photos.js'
import { createPhotoStore, photoBatches, photoLabels, type PhotoTensors } from './photo-batches.js'
import { photoLosses } from './photo-losses.js'
import { readPhotoPack } from './photo-pack.js'
import { replayed } from './replayed.js'
import { supervisedLoss } from './supervised-loss.js'

const { values: o } = parseArgs({
  options: {
    stage: { type: 'string', default: '1' },
    backend: { type: 'string', default: 'webgpu' },
    backbone: { type: 'string', default: 'mobile' },
    input: { type: 'string', default: '160' },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '64' },
    rendered: { type: 'string', default: '32' },
    replay: { type: 'string', default: '3' },
    rate: { type: 'string' },
    iterations: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    every: { type: 'string', default: '500' },
    from: { type: 'string' },
    photos: { type: 'string' },
    model: { type: 'string' },
    embedder: { type: 'string' },
    out: { type: 'string', default: 'runs/regressor' },
    'leave-out': { type: 'string' },
    'paper-weights': { type: 'boolean', default: false },
    evaluate: { type: 'boolean', default: false },
  },
})
const [stage, seconds, seed, iterations, every] = [o.stage, o.seconds, o.seed, o.iterations, o.every].map(
  Number,
)
const [batch, rendered, size] = [o.batch, o.rendered, o.size].map(Number)
const rate = Number(o.rate ?? (stage === 1 ? 1e-3 : 3e-4))
const begun = performance.now()
const clock = () => `${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s`
const show = (numbers: Readonly<Record<string, number>>) =>
  Object.entries(numbers)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join('  ')

if (o.embedder) setWeightsLocation(pathToFileURL(`${resolve(o.embedder)}/`))
await mkdir(o.out, { recursive: true })
const { reason } = await initEngine({ backend: o.backend as BackendName })
console.log(`${clock()} ${reason}`)
const model = await loadBaseModel(o.model ? { source: o.model } : {})
const { layout, name: faceModel } = model
const { expressionRange } = model.shape
const regressor = o.from
  ? await loadRegressor(o.from, { for: model })
  : createRegressor({
      backbone: o.backbone as 'mobile',
      layout,
      inputSize: Number(o.input),
      seed,
      faceModel,
      ...(expressionRange && { expressionRange }),
    })
const { inputSize } = regressor
console.log(`${clock()} ${regressor.backbone} of ${regressor.model.countParams()} weights for ${faceModel}`)

// Photographs: for stage 2, and to look at held-out people after either.
const embedder = await loadEmbedder()
const embed = (images: tf.Tensor4D) => embedder.embed(images)
const decodeJpeg = (bytes: Uint8Array) => ({ data: decode(bytes, { useTArray: true }).data, channels: 4 })
const photos = o.photos
  ? await createPhotoStore(await readPhotoPack(await readFile(o.photos), decodeJpeg), embed)
  : undefined
if (photos)
  console.log(`${clock()} ${photos.train.length / 2} photographs to train, ${photos.heldOut.length} held out`)
const evaluate = async (iteration: number): Promise<Record<string, number>> => {
  const scores: Record<string, number> = photos ? await evaluatePhotos(regressor, model, photos) : {}
  console.log(`${clock()} iteration ${iteration}: held-out people: ${show(scores)}`)
  return scores
}
if (photos) await evaluate(0)

/** Of heads as aligned crops have them, in the size that the network takes. */
const synthesizer = createFaceSynthesizer(model, {
  size: inputSize,
  batch: stage === 1 ? batch : Math.max(1, rendered),
  seed,
  pose: { roll: 12 },
  framing: { scale: [0.9, 1.1], shift: 0.012 },
})
type Rendered = [image: tf.Tensor4D, truth: tf.Tensor2D]
const nextRendered = (): Rendered => {
  const { image, parameters, ...rest } = synthesizer.next()
  const truth = packParameters(parameters)
  tf.dispose([rest, parameters] as never)
  return [image, truth]
}
const supervised = (found: FaceParameters, truth: tf.Tensor2D) =>
  supervisedLoss(model, found, unpackParameters(truth, layout))

// A picture takes a millisecond of the CPU to draw: most are seen several times.
const onRendered = replayed<Rendered>(
  {
    next: async () => nextRendered(),
    state: () => synthesizer.state(),
    restore: (state) => synthesizer.restore(state),
  },
  { times: Number(o.replay), seed },
)

/** Photographs and rendered faces go through the network side by side. */
function onBoth(): BatchSource<[...PhotoTensors, ...Rendered]> {
  const batches = photoBatches(photos!, batch, seed)
  return {
    next: async () => [...(await batches.next()), ...(await onRendered.next())],
    state: () => ({ photos: batches.state(), rendered: onRendered.state() }),
    restore: (state) => {
      const stored = state as { photos: unknown; rendered: unknown }
      batches.restore(stored.photos)
      onRendered.restore(stored.rendered)
    },
  }
}
const losses = photoLosses(model, {
  paper: o['paper-weights'],
  ...(o['leave-out'] && { leaveOut: o['leave-out'] }),
})
const photoLoss = (...inputs: [...PhotoTensors, ...Rendered]) => {
  const [image, truth] = inputs.slice(5) as Rendered
  const labels = photoLabels(inputs.slice(0, 5) as PhotoTensors)
  const small = tf.image.resizeBilinear(labels.picture, [inputSize, inputSize], false, true)
  const images = rendered > 0 ? tf.concat([small, image], 0) : small
  const all = packParameters(regressor.apply(images as tf.Tensor4D, { training: true }))
  const parameters = unpackParameters(tf.slice(all, [0, 0], [batch, -1]), layout)
  const rendering = renderFace(model, parameters, { width: size, height: size, contour: 'visible' })
  const { total, terms } = hybridLoss(losses, { ...labels, rendering, parameters, embed }, 60_000)
  if (rendered === 0) return { total, terms }
  const known = supervised(unpackParameters(tf.slice(all, [batch, 0], [rendered, -1]), layout), truth)
  return {
    total: tf.add(total, tf.mul(known.total, 0.3)) as tf.Scalar,
    terms: { ...terms, known: known.total },
  }
}

const schedule = (iteration: number) => {
  const share = Math.max(iteration / iterations, (performance.now() - start) / 1000 / seconds)
  return (
    rate * Math.min(1, (iteration + 1) / 200) * (0.01 + 0.495 * (1 + Math.cos(Math.PI * Math.min(1, share))))
  )
}
const start = performance.now()
let shown = 0
if (!o.evaluate) {
  const common = {
    model: regressor.model,
    iterations,
    seconds,
    learningRate: schedule,
    clipNorm: 20,
    evaluate: { every, run: evaluate },
    onProgress: ({ iteration, loss, terms, speed, waitShare, learningRate }: TrainingProgress) => {
      if (performance.now() - shown < 5000) return
      shown = performance.now()
      console.log(
        `${clock()} ${iteration}: ${loss.toFixed(4)}  ${show(terms)}  ${speed.toFixed(1)}/s  wait ${waitShare.toFixed(2)}  rate ${learningRate.toPrecision(2)}`,
      )
    },
  }
  const result =
    stage === 1
      ? await runTraining<Rendered>({
          ...common,
          batches: onRendered,
          loss: (_, image, truth) => supervised(regressor.apply(image, { training: true }), truth),
        })
      : await runTraining<[...PhotoTensors, ...Rendered]>({
          ...common,
          batches: onBoth(),
          loss: (_, ...inputs) => photoLoss(...inputs),
        })
  console.log(
    `${clock()} ${result.iterations} iterations, ${(result.iterations / result.seconds).toFixed(1)} a second, stopped by ${result.stoppedBy}`,
  )
  const bytes = await saveRegressor(regressor, { precision: 'float16', metadata: { stage: String(stage) } })
  await writeFileAtomic(join(o.out, 'regressor.safetensors'), bytes)
}

// Six held-out people, three rendered ones.
const folded = foldRegressor(regressor)
const [image] = nextRendered()
const some = tf.tidy(() => {
  const faces = tf.slice(image, [0, 0, 0, 0], [Math.min(3, image.shape[0]), -1, -1, -1])
  if (!photos) return faces
  const step = Math.max(1, Math.floor(photos.heldOut.length / 6))
  const chosen = photos.heldOut.filter((_, i) => i % step === 0).slice(0, 6)
  const { picture } = photoLabels(
    photos.gather(
      chosen,
      chosen.flatMap(() => [0, 1, 1, 1]),
    ),
  )
  const large = tf.image.resizeBilinear(faces as tf.Tensor4D, [size, size], false, true)
  return tf.concat([picture, large], 0)
})
const panels = await drawPanels(folded, model, some as tf.Tensor4D)
await writeFileAtomic(join(o.out, 'panels.png'), encode({ ...panels, channels: 3, depth: 8 }))
const again = foldRegressor(await loadRegressor(join(o.out, 'regressor.safetensors')).catch(() => regressor))
if (photos)
  console.log(`${clock()} half precision, folded: ${show(await evaluatePhotos(again, model, photos))}`)
console.log(`${clock()} written to ${o.out}`)
process.exit(0)
