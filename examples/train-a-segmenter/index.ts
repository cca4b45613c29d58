// Trains the network that labels the pixels of aligned faces: on rendered faces, or on CelebAMask-HQ.
//   node --conditions=@facekit/source --import tsx examples/train-a-segmenter/index.ts --help
import * as tf from '@tensorflow/tfjs-core'
import { type Segmenter, createSegmenter, loadSegmenter, saveSegmenter } from '@facekit/annotate'
import { classWeights, openCelebaMaskFolder, segmentationLoss } from '@facekit/annotate-training'
import { loadBaseModel } from '@facekit/base-model'
import { writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { loadMorphableModel } from '@facekit/morphable'
import { cosineSchedule, runTraining, warmup, type BatchSource, type TrainingResult } from '@facekit/trainer'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { celebaMaskBatches, renderedBatches, type BatchOptions, type LabelledBatch } from './batches.js'
import { classFrequencies, drawSheet, evaluateSegmenter, holdOut } from './evaluate.js'

export interface SegmenterTraining {
  segmenter: Segmenter
  batches: BatchSource<LabelledBatch>
  heldOut: readonly LabelledBatch[]
  iterations: number
  learningRate?: number
  /** For checkpoints, log and panels. */
  folder?: string
  resume?: boolean | 'auto'
  evaluateEvery?: number
  log?: (line: string) => void
}

/** The training itself: weighted cross-entropy at every output of the U-Net++, AdamW, a learning rate along half a cosine. */
export async function trainSegmenter(options: SegmenterTraining): Promise<TrainingResult> {
  const { segmenter, batches, heldOut, iterations, learningRate = 2e-3, evaluateEvery = 500, log } = options
  const weights = classWeights(await classFrequencies(heldOut))
  return runTraining<LabelledBatch>({
    model: segmenter.model,
    batches,
    iterations,
    learningRate: warmup(
      cosineSchedule(learningRate, iterations, learningRate / 100),
      Math.min(100, iterations / 10),
    ),
    optimizer: 'adamw',
    weightDecay: 0.01,
    clipNorm: 5,
    loss: (_, images, labels) => ({
      total: segmentationLoss(segmenter.apply(images, { training: true }), labels, { weights }),
    }),
    folder: options.folder,
    resume: options.resume,
    evaluate: { every: evaluateEvery, run: () => evaluateSegmenter(segmenter, heldOut) },
    panel:
      options.folder === undefined
        ? undefined
        : { every: evaluateEvery, draw: () => draw(segmenter, heldOut[0]) },
    onProgress: ({ iteration, loss, speed, evaluation }) => {
      if (iteration % 20 !== 0) return
      const iou = evaluation
        ? `, face IoU ${evaluation.faceIou.toFixed(3)}, mean ${evaluation.meanIou.toFixed(3)}`
        : ''
      log?.(`${iteration}/${iterations} loss ${loss.toFixed(4)} ${speed.toFixed(2)}/s${iou}`)
    },
  })
}

async function draw(segmenter: Segmenter, [images, labels]: LabelledBatch) {
  const [count, size] = images.shape
  const best = tf.tidy(() => tf.argMax(segmenter.predict(images), 3))
  const [pixels, truth, found] = await Promise.all([images.data(), labels.data(), best.data()])
  best.dispose()
  const pictures = Array.from({ length: Math.min(12, count) }, (_, i) => ({
    image: pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3),
    labels: [truth, found].map((data) => data.subarray(i * size * size, (i + 1) * size * size)),
  }))
  return drawSheet(pictures, size, 3)
}

/** Sources of pictures to learn from and to measure by. */
async function openSources(options: Omit<BatchOptions, 'augment'>, celeba?: string, models: string[] = []) {
  if (celeba !== undefined) {
    const folder = await openCelebaMaskFolder(celeba)
    // Every twentieth picture is held out.
    const [held, learned] = [true, false].map((h) => folder.indices.filter((i) => (i % 20 === 0) === h))
    const heldOut = celebaMaskBatches(folder, held, { ...options, seed: options.seed + 1, augment: false })
    return { batches: celebaMaskBatches(folder, learned, { ...options, augment: true }), heldOut }
  }
  const faces = models.length > 0 ? models : ['base']
  const loaded = await Promise.all(
    faces.map((name) => (name === 'base' ? loadBaseModel() : loadMorphableModel(name))),
  )
  const heldOut = renderedBatches(loaded, { ...options, seed: options.seed + 1, augment: false })
  return { batches: renderedBatches(loaded, { ...options, augment: true }), heldOut }
}

const help = `--out folder       checkpoints, log.jsonl, TensorBoard events, panels, segmenter.safetensors (default runs/segmenter)
--celeba folder    learn from CelebAMask-HQ; otherwise from rendered faces of
--model file       a face model, more than one with the option repeated; "base" is the one that comes with facekit (default)
--from file        go on from these weights; "shipped" are those of @facekit/annotate
--iterations 20000 --batch 32 --size 224 --rate 0.002 --seed 1 --backend auto --fresh (instead of resuming)`

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      out: text,
      celeba: text,
      from: text,
      iterations: text,
      batch: text,
      size: text,
      rate: text,
      seed: text,
      backend: text,
      model: { type: 'string', multiple: true },
      fresh: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(help)
    process.exit(0)
  }
  const { out = 'runs/segmenter', size = '224', batch = '32', seed = '1', from } = values
  const { backend } = await initEngine({ backend: (values.backend ?? 'auto') as 'auto' })
  const sizes = { size: Number(size), batch: Number(batch), seed: Number(seed) }
  const { batches, heldOut } = await openSources(sizes, values.celeba, values.model)
  const weights = from === undefined || from === 'shipped' ? undefined : await readFile(from)
  const segmenter =
    from === undefined
      ? createSegmenter({ inputSize: sizes.size, seed: sizes.seed })
      : await loadSegmenter({ weights, trainable: true })
  console.log(`on ${backend}, ${segmenter.model.countParams()} weights`)
  const result = await trainSegmenter({
    segmenter,
    batches,
    heldOut: await holdOut(heldOut, 4),
    iterations: Number(values.iterations ?? 20_000),
    learningRate: Number(values.rate ?? 2e-3),
    folder: out,
    resume: values.fresh ? false : 'auto',
    log: console.log,
  })
  console.log(result.evaluation)
  await writeFileAtomic(
    join(out, 'segmenter.safetensors'),
    await saveSegmenter(segmenter, { precision: 'float16' }),
  )
}
