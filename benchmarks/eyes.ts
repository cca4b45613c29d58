// What closeEyes of @facekit/annotate does to the lids, and what a fit makes of it.
//
//   node --conditions=@facekit/source --import tsx benchmarks/eyes.ts [faces to fit, default 6] [folder of photos, default ../shared/data/photos]
//
// Frames of youtube-faces that a person judged shut or open by looking at the crop. Shares of eyes that are closed (less than 0.3 of
// the opening of the landmarks is left), partly, or left alone; and what the dense network says of the same frames. Then fits of the first shut ones with and without: opening of the
// fitted face's landmarks, landmark error to what was annotated, colour error.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { annotate, loadEmbedder, readPicture, type Points } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { disposeParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { fitFace } from '@facekit/fit'
import * as tf from '@tensorflow/tfjs-core'
import { framesOf, judgedEyes as judged } from './judged-frames.js'

const faces = Number(process.argv[2] ?? 6)
const root = join(
  process.argv[3] ?? new URL('../../shared/data/photos', import.meta.url).pathname,
  'youtube-faces',
)
if (!existsSync(root)) throw new Error(`${root} is not there`)

/** Height of both eyes over their width. */
function openings(landmarks: ArrayLike<number>): [number, number] {
  const distance = (a: number, b: number) =>
    Math.hypot(landmarks[2 * a] - landmarks[2 * b], landmarks[2 * a + 1] - landmarks[2 * b + 1])
  const of = (corner: number) =>
    (distance(corner + 1, corner + 5) + distance(corner + 2, corner + 4)) / 2 / distance(corner, corner + 3)
  return [of(36), of(42)]
}
// What costs time and is not needed to look at lids.
const noEmbedding = (images: tf.Tensor4D): tf.Tensor2D => tf.zeros([images.shape[0], 128])
const flat = (points: Points) => Array.from({ length: 136 }, (_, i) => points.get(i >> 1, i & 1))

await initEngine({ backend: 'wasm' })
const dense: Record<string, number[]> = {}
for (const [kind, list] of Object.entries(judged)) {
  const counts = { closed: 0, partly: 0, left: 0 }
  for (const name of framesOf(list)) {
    const picture = await readPicture(join(root, `${name}.jpg`))
    const [before] = await annotate(picture, { maxFaces: 1, eyes: false, embedder: noEmbedding })
    const [after] = await annotate(picture, { maxFaces: 1, embedder: noEmbedding })
    ;(dense[kind] ??= []).push(...openings(flat(after.denseLandmarks!.landmarks)))
    const [wide, now] = [before, after].map((face) => openings(flat(face.landmarks)))
    for (const i of [0, 1]) {
      const kept = now[i] / wide[i]
      counts[kept < 0.3 ? 'closed' : kept < 0.95 ? 'partly' : 'left']++
    }
  }
  console.log(`judged ${kind}:`, counts)
}
for (const [kind, values] of Object.entries(dense)) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(3)
  console.log(
    `dense network, ${kind}: opening of the eyes 10 % ${at(0.1)}, median ${at(0.5)}, 90 % ${at(0.9)}`,
  )
}
const above = dense.open.map((open) => dense.shut.filter((shut) => shut < open).length / dense.shut.length)
console.log(
  `dense network: ${((100 * above.reduce((a, b) => a + b)) / above.length).toFixed(1)} % of pairs of an open and a shut eye told apart`,
)

const [model, embedder] = [await loadBaseModel(), await loadEmbedder()]
for (const name of framesOf(judged.shut).slice(0, faces)) {
  const picture = await readPicture(join(root, `${name}.jpg`))
  for (const eyes of [false, undefined] as const) {
    const [face] = await annotate(picture, { maxFaces: 1, ...(eyes === false && { eyes }) })
    const { parameters, landmarks, metrics } = await fitFace(picture, face, model, {
      embed: (images) => embedder.embed(images),
    })
    disposeParameters(parameters)
    const text = (values: number[]) => values.map((value) => value.toFixed(3)).join(' ')
    console.log(
      `${name} ${eyes === false ? 'without' : 'with   '}: annotated ${text(openings(flat(face.landmarks)))}, fitted ${text(openings(flat(landmarks[0])))}, ` +
        `landmark error ${(100 * metrics.landmarkError).toFixed(2)} %, colour error ${metrics.colorError.toFixed(4)}`,
    )
  }
}
