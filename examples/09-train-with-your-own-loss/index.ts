// Losses of one's own in a training: one on photographs, through the renderer, and one on rendered faces, of which all is known.
import { pathToFileURL } from 'node:url'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { paperLossTerms, type LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import { createRegressor, mobileBackbone } from '@facekit/regressor'
import { createFaceSynthesizer, type FaceSynthesizer } from '@facekit/synthetic'
import {
  renderedBatches,
  supervisedTerms,
  train,
  type BatchSource,
  type PhotoBatch,
  type SupervisedTerm,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'

/** Upper and lower lid of both eyes, upper and lower lip: pairs of landmarks whose distance says whether they are open. */
const PAIRS: readonly (readonly [number, number])[] = [
  [37, 41],
  [38, 40],
  [43, 47],
  [44, 46],
  [61, 67],
  [62, 66],
  [63, 65],
]

/** `[B, 7]` pixels. */
const openings = (landmarks: tf.Tensor3D): tf.Tensor => {
  const points = (side: 0 | 1) =>
    tf.gather(
      landmarks,
      PAIRS.map((pair) => pair[side]),
      1,
    ) // [B, 7, 2]
  return tf.sqrt(tf.add(tf.sum(tf.square(tf.sub(points(0), points(1))), 2), 1e-2))
}

/** 1. A loss on photographs: eyes and mouths as far open as in the picture, wherever they are. */
export const opennessLoss: LossTerm = {
  name: 'openness',
  weight: 0.02,
  compute: ({ landmarks, rendering }) =>
    tf.tidy(() => tf.mean(tf.abs(tf.sub(openings(rendering.landmarks), openings(landmarks)))) as tf.Scalar),
}

/** 2. A loss on rendered faces: errors of the vertices that point the same way everywhere make the face swim; they cost more than noise. */
export const steadyShape: SupervisedTerm = {
  name: 'steadyShape',
  weight: 0.5,
  compute: ({ foundVertices, trueVertices }) =>
    tf.tidy(() => tf.mean(tf.square(tf.mean(tf.sub(foundVertices, trueVertices), 1))) as tf.Scalar),
}

/** Rendered pictures in the place of photographs: all the labels are there. Yours come from `datasetBatches`, see 07. */
export function renderedPhotos(synthesizer: FaceSynthesizer): BatchSource<PhotoBatch> {
  return {
    next: async () => {
      const { image, faceRegion, skin, innerMouth, landmarks, ...rest } = synthesizer.next()
      tf.dispose(rest as unknown as tf.TensorContainer)
      return [image, faceRegion, skin, innerMouth, landmarks]
    },
    state: () => synthesizer.state(),
    restore: (state) => synthesizer.restore(state),
  }
}

/** Trains with both beside the usual ones; returns the terms at the beginning and at the end. */
export async function trainWithYourOwnLoss(
  model: MorphableModel,
  { iterations = 100, size = 64, batch = 8, width = 0.35, ownFrom = 20 } = {},
) {
  const regressor = createRegressor({
    backbone: mobileBackbone({ width, features: 64 }),
    layout: model.layout,
    inputSize: size,
    ...(model.shape.expressionRange && { expressionRange: model.shape.expressionRange }),
  })
  const [first, second] = [1, 2].map((seed) => createFaceSynthesizer(model, { size, batch, seed }))
  const history: Record<string, number>[] = []
  // 3. Terms are handed in as lists: the usual ones, with other weights or without some of them, and one's own.
  await train({
    regressor,
    model,
    dataset: renderedPhotos(first),
    losses: [
      ...paperLossTerms({ weights: { identity: 0, innerMouth: 0 } }),
      // A schedule in the place of a weight: the term counts from there on.
      { ...opennessLoss, weight: (iteration) => (iteration < ownFrom ? 0 : 0.02) },
    ],
    rendered: renderedBatches(second),
    supervision: [...supervisedTerms({ illumination: 0.2 }), steadyShape],
    iterations,
    learningRate: 1e-3,
    clipNorm: 20,
    onProgress: ({ terms }) => void history.push({ ...terms }),
  })
  for (const synthesizer of [first, second]) synthesizer.dispose()
  regressor.dispose()
  return history
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { backend } = await initEngine({ backend: 'wasm' })
  const history = await trainWithYourOwnLoss(await loadBaseModel())
  console.log(`on ${backend}`)
  for (const [name, value] of Object.entries(history.at(-1)!)) {
    const before = history.find((terms) => name in terms)![name]
    console.log(`${name.padEnd(26)} ${before.toFixed(4).padStart(10)} -> ${value.toFixed(4).padStart(10)}`)
  }
  process.exit(0)
}
