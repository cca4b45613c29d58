import * as tf from '@tensorflow/tfjs-core'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import { cutFromPyramid, type ImagePyramid } from './image-pyramid.js'
import { moveSides, squareAround, suppress, type Box } from './box.js'
import { mtcnnSizes, proposalStride, type MtcnnStage } from './mtcnn-networks.js'

/** The networks of the three stages. */
export type MtcnnModels = Readonly<Record<MtcnnStage, LayersModel>>

/** A window that may show a face, while it goes through the cascade. Pixels of the picture. */
export interface Candidate {
  box: Box
  score: number
  /** x, y of five points; of the last stage. */
  points?: readonly number[]
}

/** Settings of the cascade. */
export interface CascadeSettings {
  /** Smallest face, pixels of the picture. */
  minSize: number
  /** Ratio of neighbouring sizes of the pyramid, below 1. */
  factor: number
  /** Least scores of the three stages. */
  thresholds: readonly [number, number, number]
  /** Most windows that go to the second stage, the best ones. */
  maxCandidates: number
}

/** Windows in one batch. */
const BATCH = 64
/** Most pixels of a picture that the first stage looks at at once. */
const MOST_PIXELS = 2 ** 22

/** Finds candidates with the first so many stages (all three: faces), best first; boxes are those that the last of these stages gives. */
export async function runCascade(
  pyramid: ImagePyramid,
  models: Partial<MtcnnModels>,
  stages: 1 | 2 | 3,
  settings: CascadeSettings,
): Promise<Candidate[]> {
  const { thresholds, maxCandidates } = settings
  let found = (await propose(pyramid, models.proposal!, settings)).slice(0, maxCandidates)
  if (stages === 1) return found
  found = await judge(pyramid, models.refinement!, 'refinement', found, thresholds[1])
  found = suppress(found, 0.7)
  if (stages === 2) return found
  found = await judge(pyramid, models.output!, 'output', found, thresholds[2])
  return suppress(found, 0.7, 'smaller')
}

/** The first stage, at each size of the pyramid. */
async function propose(
  pyramid: ImagePyramid,
  model: LayersModel,
  { minSize, factor, thresholds }: CascadeSettings,
): Promise<Candidate[]> {
  const size = mtcnnSizes.proposal
  const all: Candidate[] = []
  for (let step = minSize / size; Math.min(pyramid.width, pyramid.height) / step >= size; step /= factor) {
    const width = Math.floor(pyramid.width / step)
    const height = Math.floor(pyramid.height / step)
    if (width * height > MOST_PIXELS) continue
    const pixels = cutFromPyramid(pyramid, { x: 0, y: 0, step }, { width, height })
    const outputs = predict(model, pixels, [1, height, width, 3])
    const columns = outputs[0].shape[2]!
    const [scores, sides] = await Promise.all([outputs[0].data(), outputs[1].data()])
    tf.dispose(outputs)
    const found: Candidate[] = []
    for (let i = 0; i < scores.length; i++) {
      if (!(scores[i] >= thresholds[0])) continue
      const x = (i % columns) * proposalStride * step
      const y = Math.floor(i / columns) * proposalStride * step
      const window = { x, y, width: size * step, height: size * step }
      found.push({ box: window, score: scores[i], points: sides.subarray(4 * i, 4 * i + 4) as never })
    }
    all.push(...suppress(found, 0.5))
  }
  const moved = suppress(all, 0.7).map(({ box, score, points }) => ({ box: moveSides(box, points!), score }))
  return moved.filter(hasArea)
}

/** A later stage: looks at the square around each candidate. */
async function judge(
  pyramid: ImagePyramid,
  model: LayersModel,
  stage: MtcnnStage,
  candidates: readonly Candidate[],
  threshold: number,
): Promise<Candidate[]> {
  const size = mtcnnSizes[stage]
  const kept: Candidate[] = []
  for (let first = 0; first < candidates.length; first += BATCH) {
    const windows = candidates.slice(first, first + BATCH).map(({ box }) => squareAround(box))
    const pixels = new Float32Array(windows.length * size * size * 3)
    for (const [i, { x, y, width }] of windows.entries()) {
      const step = width / size
      pixels.set(cutFromPyramid(pyramid, { x, y, step }, { width: size, height: size }), i * size * size * 3)
    }
    const outputs = predict(model, pixels, [windows.length, size, size, 3])
    const [scores, sides, points] = await Promise.all(outputs.map((output) => output.data()))
    tf.dispose(outputs)
    for (const [i, window] of windows.entries()) {
      if (!(scores[i] >= threshold)) continue
      const { x, y, width } = window
      const places = Array.from(points.subarray(10 * i, 10 * i + 10), (v, k) => (k & 1 ? y : x) + v * width)
      kept.push({
        box: moveSides(window, sides.subarray(4 * i, 4 * i + 4)),
        score: scores[i],
        points: places,
      })
    }
  }
  return kept.filter(hasArea)
}

/** The sides of a box may have crossed. */
const hasArea = ({ box }: Candidate) => box.width >= 1 && box.height >= 1

/** Scores, sides, points. */
function predict(
  model: LayersModel,
  pixels: Float32Array,
  shape: [number, number, number, number],
): tf.Tensor[] {
  return tf.tidy(() => {
    const images = tf.div(tf.tensor4d(pixels, shape), 255)
    const [face, box, points] = model.predict(images) as tf.Tensor[]
    const last = face.shape.length - 1
    const share = tf.slice(
      tf.softmax(face),
      [...Array<number>(last).fill(0), 1],
      [...Array<number>(last).fill(-1), 1],
    )
    return [share, box, points]
  })
}
