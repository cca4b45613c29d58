// How far fitted lids and lips are open in photographs, by dense landmarks alone and with the openings of the 68 landmarks.
//
//   node --conditions=@facekit/source --import tsx benchmarks/openings.ts [frames of each list, default all] [folder of photos, default ../shared/data/photos]
//
// Frames of youtube-faces that a person judged shut or open, closed or open (judged-frames.ts). Of shut eyes and closed lips the mean opening over the width,
// which should be 0; of open ones the mean, and the mean distance from the frames' landmarks, which are another network's guess: it should not grow.
// The odds that the fit takes (seen-openings.ts) were chosen on these frames.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { annotate, applyTransform, readPicture, type DenseLandmarks } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { fitDenseLandmarks } from '@facekit/fit'
import * as tf from '@tensorflow/tfjs-core'
import { framesOf, judgedEyes, judgedLips } from './judged-frames.js'

const most = Number(process.argv[2] ?? Infinity)
const root = join(
  process.argv[3] ?? new URL('../../shared/data/photos', import.meta.url).pathname,
  'youtube-faces',
)
if (!existsSync(root)) throw new Error(`${root} is not there`)
const labels: Record<string, [number, number][]> = JSON.parse(
  readFileSync(join(root, 'landmarks.json'), 'utf8'),
)

type Opening = (points: ArrayLike<number>) => number

/** Signed mean gap of pairs of landmarks across the line of two others, over the distance of these. */
function opening(from: number, to: number, pairs: readonly (readonly [number, number])[]): Opening {
  return (points) => {
    const between = (a: number, b: number) =>
      [0, 1].map((axis) => points[2 * b + axis] - points[2 * a + axis])
    const [x, y] = between(from, to)
    const gaps = pairs.map(([upper, lower]) => {
      const [dx, dy] = between(upper, lower)
      return (x * dy - y * dx) / (x * x + y * y)
    })
    return gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  }
}
const rightEye = opening(36, 39, [
  [37, 41],
  [38, 40],
])
const leftEye = opening(42, 45, [
  [43, 47],
  [44, 46],
])
const eyes: Opening = (points) => (rightEye(points) + leftEye(points)) / 2
const lips = opening(48, 54, [
  [61, 67],
  [62, 66],
  [63, 65],
])

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const noEmbedding = (images: tf.Tensor4D): tf.Tensor2D => tf.zeros([images.shape[0], 0])

/** Fitted landmarks of a frame, in pixels of its crop: without and with the openings of the 68. */
async function fits(frame: string): Promise<Float32Array[] | undefined> {
  const picture = await readPicture(join(root, `${frame}.jpg`))
  const [face] = await annotate(picture, { maxFaces: 1, segmenter: 'landmarks', embedder: noEmbedding })
  if (!face?.denseLandmarks) return undefined
  const { size, transform, landmarks } = face.alignment
  const scaled = (values: Float32Array) => values.map((value) => value * transform.scale)
  const { positions, deviations, depths, depthDeviations, ...rest } = face.denseLandmarks
  const dense: DenseLandmarks = {
    ...rest,
    positions: applyTransform(transform, positions),
    deviations: scaled(deviations),
    depths: scaled(depths),
    depthDeviations: scaled(depthDeviations),
  }
  const options = { width: size, height: size }
  return [{}, { landmarks }].map((more) => fitDenseLandmarks(dense, model, { ...options, ...more }).landmarks)
}

const mean = (values: number[]) => (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(4)

for (const [name, list, measure] of [
  ['shut eyes', framesOf(judgedEyes.shut), eyes],
  ['open eyes', framesOf(judgedEyes.open), eyes],
  ['closed lips', judgedLips.flatMap(({ closed }) => framesOf(closed)), lips],
  ['open lips', judgedLips.flatMap(({ open }) => framesOf(open)), lips],
] as const) {
  const rows: number[][] = []
  for (const frame of list.slice(0, most)) {
    const found = await fits(frame)
    if (found) rows.push([...found.map(measure), measure(labels[`${frame}.jpg`].flat())])
  }
  const column = (of: (row: number[]) => number) => mean(rows.map(of))
  console.log(
    `${name.padEnd(12)} ${rows.length} frames: mean opening ${column(([a]) => Math.abs(a))} -> ${column(([, a]) => Math.abs(a))}; ` +
      `from the frames' landmarks ${column(([a, , t]) => Math.abs(a - t))} -> ${column(([, a, t]) => Math.abs(a - t))}`,
  )
}
