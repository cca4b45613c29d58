// How well the identity embedding of @facekit/annotate tells people apart, and how long it takes.
//
//   npx tsx --conditions=@facekit/source benchmarks/identity.ts [people, default 100] [folder of youtube-faces]
//
// Two pictures of each person, of different clips; each second picture also as that of somebody else.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { alignFace, detectFaces, findLandmarks, loadEmbedder, readPicture } from '@facekit/annotate'
import { initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'

const people = Number(process.argv[2] ?? 100)
const root = process.argv[3] ?? new URL('../../shared/data/photos/youtube-faces', import.meta.url).pathname
const frames = Object.keys(JSON.parse(readFileSync(join(root, 'landmarks.json'), 'utf8')) as object).sort()
const names = [...new Set(frames.map((frame) => frame.split('/')[0]))].slice(-people)

const { backend } = await initEngine()
const embedder = await loadEmbedder()

async function embedFrame(frame: string): Promise<Float32Array | undefined> {
  const picture = await readPicture(join(root, frame))
  const [face] = await detectFaces(picture, { minScore: 0.3, maxFaces: 1 })
  if (face === undefined) return undefined
  const { image } = alignFace(picture, await findLandmarks(picture, face.box))
  const result = tf.tidy(() => embedder.embed(tf.expandDims(image) as tf.Tensor4D))
  const embedding = (await result.data()) as Float32Array
  tf.dispose([image, result])
  return embedding
}

const pairs: [Float32Array, Float32Array][] = []
for (const name of names) {
  const own = frames.filter((frame) => frame.startsWith(`${name}/`))
  const first = await embedFrame(own[0])
  const second = await embedFrame(own.at(-1)!)
  if (first && second) pairs.push([first, second])
}

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]))
const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const same = pairs.map(([first, second]) => distance(first, second))
const others = pairs.map(([first], i) => distance(first, pairs[(i + 1) % pairs.length][1]))
const all = pairs.flatMap(([first], i) =>
  pairs.filter((_, j) => j !== i).map(([, second]) => distance(first, second)),
)
const accuracy = (threshold: number) =>
  (same.filter((value) => value < threshold).length + others.filter((value) => value >= threshold).length) /
  (2 * pairs.length)
const thresholds = Array.from({ length: 101 }, (_, i) => 0.4 + i * 0.005)
const best = thresholds.reduce((a, b) => (accuracy(b) > accuracy(a) ? b : a))
const area = average(same.map((value) => all.filter((other) => other > value).length / all.length))
console.log(`backend ${backend}, ${pairs.length} of ${names.length} people with a face in both pictures`)
console.log(`mean distance: same person ${average(same).toFixed(3)}, others ${average(all).toFixed(3)}`)
console.log(
  `right: ${(100 * accuracy(best)).toFixed(1)} % at ${best.toFixed(3)}; area under the ROC curve ${area.toFixed(4)}`,
)

const images = tf.randomUniform([1, 224, 224, 3], 0, 1, 'float32', 1) as tf.Tensor4D
const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(embedder.embed(x as tf.Tensor4D))))
const times: Record<string, number> = {}
for (const [label, f] of Object.entries({
  forward: () => embedder.embed(images),
  both: () => gradient(images),
})) {
  const runs: number[] = []
  for (let i = 0; i < 9; i++) {
    const start = performance.now()
    const result = f() as tf.Tensor
    await result.data()
    result.dispose()
    runs.push(performance.now() - start)
  }
  times[label] = runs.sort((a, b) => a - b)[4]
}
console.log(
  `one crop of 224: forward ${times.forward.toFixed(0)} ms, forward and backward ${times.both.toFixed(0)} ms`,
)
