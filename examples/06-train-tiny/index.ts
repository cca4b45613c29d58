// A small network learns to read faces off rendered pictures, on a CPU, in minutes: the loss falls, faces appear.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { createRegressor, mobileBackbone, saveRegressor } from '@facekit/regressor'
import { createFaceSynthesizer } from '@facekit/synthetic'
import {
  cosineSchedule,
  renderedBatches,
  train,
  warmup,
  type PhotoBatch,
  type TrainingProgress,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

/** Settings of `trainTiny`. */
export interface TrainTinyOptions {
  model: MorphableModel
  /** For the log, panels, report.html and the trained network. */
  folder: string
  iterations?: number
  size?: number
  batch?: number
  width?: number
  onProgress?: (progress: TrainingProgress) => void
}

/** Trains; writes the network, and says how well held-out faces are met. */
export async function trainTiny(options: TrainTinyOptions) {
  const { model, folder, iterations = 400, size = 64, batch = 16, width = 0.5, onProgress } = options
  // 1. The network: a small one, for pictures of 64 x 64. It begins with the mean face.
  const regressor = createRegressor({
    backbone: mobileBackbone({ width, features: 128 }),
    layout: model.layout,
    inputSize: size,
    faceModel: model.name,
    ...(model.shape.expressionRange && { expressionRange: model.shape.expressionRange }),
    seed: 1,
  })
  // 2. Pictures without end, of which everything is known. Another seed draws other faces: those are held out.
  const heads = {
    size,
    batch,
    pose: { yaw: 40, roll: 10 },
    framing: { scale: [0.9, 1.1] as const, shift: 0.01 },
  }
  const synthesizer = createFaceSynthesizer(model, { ...heads, seed: 1 })
  const others = createFaceSynthesizer(model, { ...heads, seed: 2 })
  const { image, faceRegion, skin, innerMouth, landmarks, ...rest } = others.next()
  const heldOut: PhotoBatch = [image, faceRegion, skin, innerMouth, landmarks]
  tf.dispose(rest as unknown as tf.TensorContainer)
  others.dispose()
  // 3. The training: losses on the known parameters; log, curves and a panel of held-out faces go to the folder.
  const every = Math.max(1, Math.floor(iterations / 8))
  const result = await train({
    regressor,
    model,
    rendered: renderedBatches(synthesizer),
    iterations,
    learningRate: warmup(cosineSchedule(2e-3, iterations), Math.min(20, iterations)),
    clipNorm: 20,
    folder,
    checkpointEvery: every,
    resume: 'auto',
    heldOut: { batches: [heldOut], every, faces: 4 },
    ...(onProgress && { onProgress }),
  })
  // 4. What it learned, in one file, for `loadRegressor` and `facekit reconstruct --method regress --regressor`.
  await writeFile(
    join(folder, 'regressor.safetensors'),
    await saveRegressor(regressor, { precision: 'float16' }),
  )
  synthesizer.dispose()
  regressor.dispose()
  tf.dispose(heldOut)
  return result
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [backend = 'wasm', folder = 'output/train-tiny', iterations = '400'] = process.argv.slice(2)
  const engine = await initEngine({ backend: backend as 'wasm' })
  console.log(`on ${engine.backend}: ${engine.reason}`)
  const { evaluation, seconds, loss } = await trainTiny({
    model: await loadBaseModel(),
    folder,
    iterations: Number(iterations),
    onProgress: ({ iteration, loss, speed }) => {
      if (iteration % 10 === 0)
        console.log(`${iteration}: loss ${loss.toFixed(3)}, ${speed.toFixed(1)} a second`)
    },
  })
  console.log(`loss ${loss.toFixed(3)} after ${seconds.toFixed(0)} s; held-out faces:`, evaluation)
  console.log(`look at ${folder}/report.html`)
  process.exit(0)
}
