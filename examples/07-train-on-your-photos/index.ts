// Goes on training the regressor on a folder of photographs: labels them, then learns through the renderer, with people held out.
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { annotate, loadEmbedder } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { writeFileAtomic } from '@facekit/core'
import { datasetBatches, labelFolder, openDataset } from '@facekit/dataset'
import { initEngine } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { saveRegressor, type FaceRegressor } from '@facekit/regressor'
import { loadPretrainedRegressor } from '@facekit/regressor-weights'
import { createFaceSynthesizer } from '@facekit/synthetic'
import { renderedBatches, train, type PhotoBatch, type TrainingProgress } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

/** Settings of `trainOnPhotos`. */
export interface TrainOnPhotosOptions {
  regressor: FaceRegressor
  model: MorphableModel
  /** Tar shards, or annotated photographs: what `facekit annotate` or `labelFolder` made. */
  labels: string
  folder: string
  iterations?: number
  size?: number
  batch?: number
  /** A face recognition network; without it the identity loss is left out. */
  embed?: (images: tf.Tensor4D) => tf.Tensor2D
  /** Share of the people that is held out. */
  share?: number
  onProgress?: (progress: TrainingProgress) => void
}

/** Trains on labelled photographs, rendered faces beside them, and writes the network. */
export async function trainOnPhotos(options: TrainOnPhotosOptions) {
  const { regressor, model, labels, folder, iterations = 1000, size = 224, batch = 16, share = 0.1 } = options
  const dataset = await openDataset(labels)
  // 1. A person is either trained on or held out, never both.
  const split = (part: 'train' | 'held-out') => ({ part, share })
  const photos = datasetBatches(dataset, { batch, size, seed: 1, split: split('train') })
  const others = datasetBatches(dataset, {
    batch,
    size,
    augment: false,
    shuffle: false,
    split: split('held-out'),
  })
  const heldOut: PhotoBatch[] = [await others.next()]
  others.dispose()
  // 2. Rendered faces keep what photographs do not say: what is behind, and what is light and what is skin.
  const synthesizer = createFaceSynthesizer(model, {
    size,
    batch,
    seed: 1,
    pose: { roll: 10 },
    framing: { scale: [0.9, 1.1], shift: 0.01 },
  })
  // 3. The paper's losses, as they stand, with a learning rate for going on.
  const result = await train({
    regressor,
    model,
    dataset: photos,
    rendered: renderedBatches(synthesizer),
    renderedWeight: 0.3,
    ...(options.embed && { embed: options.embed }),
    iterations,
    learningRate: 1e-4,
    clipNorm: 20,
    folder,
    resume: 'auto',
    heldOut: { batches: heldOut, every: Math.max(1, Math.floor(iterations / 10)) },
    ...(options.onProgress && { onProgress: options.onProgress }),
  })
  await writeFileAtomic(
    join(folder, 'regressor.safetensors'),
    await saveRegressor(regressor, { precision: 'float16' }),
  )
  synthesizer.dispose()
  photos.dispose()
  tf.dispose(heldOut)
  return result
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [photos, backend = 'auto', folder = 'output/train-on-your-photos'] = process.argv.slice(2)
  if (photos === undefined || !(await stat(photos).catch(() => undefined))) {
    console.error('index.ts <folder of photographs, a folder for each person> [backend] [output folder]')
    process.exit(1)
  }
  const engine = await initEngine({ backend: backend as 'auto' })
  console.log(`on ${engine.backend}: ${engine.reason}`)
  const labels = join(folder, 'labels')
  await mkdir(labels, { recursive: true })
  // Goes on where it stopped, when it is started again.
  await labelFolder(photos, labels, {
    annotate,
    onProgress: ({ done, total, picture, reason }) =>
      console.log(
        `labelling ${done} of ${total}${picture ? `: ${picture}` : ''}${reason ? ` (${reason})` : ''}`,
      ),
  })
  const model = await loadBaseModel()
  const { embed } = await loadEmbedder()
  const { evaluation } = await trainOnPhotos({
    regressor: await loadPretrainedRegressor({ for: model, trainable: true }),
    model,
    labels,
    folder: join(folder, 'run'),
    embed,
    onProgress: ({ iteration, loss, evaluation }) => {
      if (iteration % 10 === 0) console.log(`${iteration}: loss ${loss.toFixed(3)}`, evaluation ?? '')
    },
  })
  console.log('held-out people:', evaluation, `; look at ${folder}/run/report.html`)
  process.exit(0)
}
