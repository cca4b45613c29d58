import { type Mtcnn, type MtcnnStage, createMtcnn, createPyramid, runCascade } from '@facekit/annotate'
import {
  type FaceScene,
  type MtcnnBatch,
  type MtcnnWindow,
  createMtcnnBatches,
  drawMtcnnWindows,
  mtcnnLoss,
} from '@facekit/annotate-training'
import { createRandom, type Random } from '@facekit/core'
import { cosineSchedule, runTraining, warmup, type TrainingProgress } from '@facekit/trainer'
import type * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

export interface TrainMtcnnOptions {
  /** Pictures with faces, and others without. */
  scenes: FaceScene[]
  /** Of each stage. Default 8000. */
  iterations?: number
  /** Windows of a batch. Default 384. */
  batch?: number
  /** How often each scene gives windows. Default 1. */
  passes?: number
  /** At the start; falls along a cosine. Default 1e-3. */
  learningRate?: number
  /** For windows and for training, of each stage; whichever ends first, this or the passes and iterations. */
  seconds?: { windows: number; training: number }
  /** To be trained further. */
  mtcnn?: Mtcnn
  seed?: number
  onWindows?: (stage: MtcnnStage, counts: Record<MtcnnWindow['kind'], number>) => void
  onProgress?: (stage: MtcnnStage, progress: TrainingProgress) => void
}

/** Scenes that are looked at at once: a GPU's answers take their time. */
const TOGETHER = 16

export const mtcnnStages = ['proposal', 'refinement', 'output'] as const

/** Trains one stage after the other, each on what those before it take for faces, too. */
export async function trainMtcnn(options: TrainMtcnnOptions): Promise<Mtcnn> {
  const mtcnn = options.mtcnn ?? createMtcnn({ seed: options.seed ?? 1 })
  for (const stage of mtcnnStages)
    await trainStage(mtcnn, stage, await collectWindows(mtcnn, stage, options), options)
  return mtcnn
}

/** Trains one stage on windows. */
export async function trainStage(
  mtcnn: Mtcnn,
  stage: MtcnnStage,
  windows: MtcnnWindow[],
  options: Omit<TrainMtcnnOptions, 'scenes'>,
): Promise<void> {
  const { iterations = 8000, batch = 384, learningRate = 1e-3, seconds, seed = 1 } = options
  const counts = { face: 0, part: 0, none: 0 }
  for (const { kind } of windows) counts[kind]++
  options.onWindows?.(stage, counts)
  const model = mtcnn.models[stage]
  const start = performance.now()
  const schedule = cosineSchedule(learningRate, iterations)
  await runTraining<MtcnnBatch>({
    model,
    batches: createMtcnnBatches(windows, { batch, seed }),
    loss: (_, images, face, box, points, supervisionMask) => {
      const outputs = model.apply(images, { training: true }) as tf.Tensor[]
      const { total, ...terms } = mtcnnLoss(outputs, { face, box, points, supervisionMask }, stage)
      return { total, terms }
    },
    iterations,
    clipNorm: 5,
    seconds: seconds?.training,
    // Where time is what ends it, the rate falls with the time.
    learningRate: warmup(
      (iteration) => {
        const spent = (performance.now() - start) / 1000 / (seconds?.training ?? Infinity)
        return schedule(Math.max(iteration, Math.min(iterations - 1, Math.floor(spent * iterations))))
      },
      Math.min(200, Math.floor(iterations / 10)),
    ),
    onProgress: (progress) => options.onProgress?.(stage, progress),
  })
}

/** Windows of every scene; for the later stages also those that the earlier ones take for faces. */
export async function collectWindows(
  { models }: Mtcnn,
  stage: MtcnnStage,
  { scenes, passes = 1, seconds, seed = 1 }: TrainMtcnnOptions,
): Promise<MtcnnWindow[]> {
  const random = createRandom(seed + 10 * mtcnnStages.indexOf(stage))
  const windows: MtcnnWindow[] = []
  const start = performance.now()
  const earlier = mtcnnStages.indexOf(stage)
  for (let pass = 0; pass < passes; pass++) {
    const order = random.shuffle(scenes)
    for (let first = 0; first < order.length; first += TOGETHER) {
      if ((performance.now() - start) / 1000 > (seconds?.windows ?? Infinity)) return windows
      const opened = []
      for (const scene of order.slice(first, first + TOGETHER)) opened.push(await openScene(scene, random))
      const settings = { minSize: 16, factor: 0.709, thresholds: [0.5, 0.5, 1], maxCandidates: 300 } as const
      const found = await Promise.all(
        opened.map(({ pyramid }) =>
          earlier === 0 ? [] : runCascade(pyramid, models, earlier as 1 | 2, settings),
        ),
      )
      for (const [i, { pyramid, faces }] of opened.entries()) {
        const candidates = found[i].map(({ box }) => box)
        // Where faces are hard to find, chance windows of background are all too easy.
        const anywhere = earlier === 0 ? 20 : 4
        windows.push(...drawMtcnnWindows(pyramid, faces, stage, random, { candidates, anywhere }))
      }
    }
  }
  return windows
}

/** A third of the scenes are made coarse, as small faces are. */
async function openScene({ read, faces }: FaceScene, random: Random) {
  const picture = await read()
  const [height, width] = picture.shape
  const pyramid = createPyramid({ data: picture.data, height, width, channels: 3 })
  const levels = pyramid.levels.length
  const skip = random.uniform() < 0.33 ? random.integer(Math.min(3, levels)) : 0
  if (skip === 0) return { pyramid, faces }
  const scale = 0.5 ** skip
  const smaller = faces.map((face) => ({
    ...face,
    box: {
      x: face.box.x * scale,
      y: face.box.y * scale,
      width: face.box.width * scale,
      height: face.box.height * scale,
    },
    fivePoints:
      face.fivePoints &&
      ndarray(
        Float32Array.from(face.fivePoints.data, (value) => value * scale),
        [5, 2],
      ),
  }))
  const [first] = pyramid.levels.slice(skip)
  return {
    pyramid: { width: first.width, height: first.height, levels: pyramid.levels.slice(skip) },
    faces: smaller,
  }
}
