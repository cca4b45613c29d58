// What closeLips of @facekit/annotate does to the inner lips: the gap of the three inner pairs over the mouth's width.
//
//   npx tsx --conditions=@facekit/source benchmarks/lips.ts [people, default 220] [folder of photos, default ../shared/data/photos]
//
// 1. Frames of youtube-faces (skipped where missing) that a person judged closed or open by looking at the crop; those that
//    closeLips was tuned on, and others, judged before it ran. Agreement: closed is a gap of up to 0.03.
// 2. One frame of each of so many people of youtube-faces against its landmarks. Weak truth: another network's guess.
// 3. Rendered base-model faces, closed and open, dark or with teeth; the landmarks true, or apart or together as a network has them.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  applyTransform,
  closeLips,
  cropFace,
  detectFaces,
  findLandmarks,
  readPicture,
  type Points,
} from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { disposeParameters, neutralParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { framesOf, judgedLips as judged } from './judged-frames.js'

const people = Number(process.argv[2] ?? 220)
const root = join(
  process.argv[3] ?? new URL('../../shared/data/photos', import.meta.url).pathname,
  'youtube-faces',
)

const innerPairs = [
  [61, 67],
  [62, 66],
  [63, 65],
]

/** Signed mean gap of the inner pairs over the mouth's width. */
function gapOf(landmarks: Points): number {
  const x = landmarks.get(54, 0) - landmarks.get(48, 0)
  const y = landmarks.get(54, 1) - landmarks.get(48, 1)
  const below = ([a, b]: number[]) =>
    (-y * (landmarks.get(b, 0) - landmarks.get(a, 0)) + x * (landmarks.get(b, 1) - landmarks.get(a, 1))) /
    (x * x + y * y)
  return innerPairs.reduce((sum, pair) => sum + below(pair), 0) / innerPairs.length
}

/** Gaps of a frame's annotated face before and after. */
async function frameGaps(frame: string, truth: Points) {
  const picture = await readPicture(join(root, frame))
  const [x, y] = [0, 1].map((axis) => {
    let sum = 0
    for (let k = 0; k < 68; k++) sum += truth.get(k, axis) / 68
    return sum
  })
  const faces = await detectFaces(picture, { minScore: 0.5 })
  const face = faces.find(
    ({ box }) => x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height,
  )
  if (!face) return undefined
  const points = await findLandmarks(picture, face.box)
  const { image, transform } = cropFace(picture, points)
  const inCrop = applyTransform(transform, points)
  return {
    before: gapOf(inCrop),
    after: gapOf(closeLips(image, inCrop, { scale: transform.scale })),
    truth: Math.max(0, gapOf(truth)),
  }
}

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

async function photographs(): Promise<void> {
  const file = join(root, 'landmarks.json')
  if (!existsSync(file)) return console.log(`no ${file}: photographs skipped`)
  const all: Record<string, [number, number][]> = JSON.parse(readFileSync(file, 'utf8'))
  const truthOf = (frame: string) => ndarray(Float32Array.from(all[frame].flat()), [68, 2])
  for (const { set, closed, open } of judged) {
    const counts = { closedBefore: 0, closedAfter: 0, closed: 0, openBefore: 0, openAfter: 0, open: 0 }
    for (const [kind, list] of [
      ['closed', closed],
      ['open', open],
    ] as const) {
      for (const name of framesOf(list)) {
        const gaps = await frameGaps(`${name}.jpg`, truthOf(`${name}.jpg`))
        if (!gaps) continue
        counts[kind]++
        if (gaps.before > 0.03 === (kind === 'open')) counts[`${kind}Before`]++
        if (gaps.after > 0.03 === (kind === 'open')) counts[`${kind}After`]++
      }
    }
    console.log(
      `judged by eye, ${set}: ${counts.closed} closed, right ${counts.closedBefore} -> ${counts.closedAfter}; ` +
        `${counts.open} open, right ${counts.openBefore} -> ${counts.openAfter}`,
    )
  }
  const names = [...new Set(Object.keys(all).map((key) => key.split('/')[0]))].sort().slice(0, people)
  const gaps: NonNullable<Awaited<ReturnType<typeof frameGaps>>>[] = []
  for (const [i, name] of names.entries()) {
    const frames = Object.keys(all)
      .filter((key) => key.startsWith(`${name}/`))
      .sort()
    const frame = frames[(i * 5) % frames.length]
    const found = await frameGaps(frame, truthOf(frame))
    if (found) gaps.push(found)
  }
  for (const [label, from, to] of [
    ['all', 0, Infinity],
    ['truth below 0.01', 0, 0.01],
    ['truth 0.01 to 0.15', 0.01, 0.15],
    ['truth above 0.15', 0.15, Infinity],
  ] as const) {
    const some = gaps.filter(({ truth }) => truth >= from && truth < to)
    const error = (of: 'before' | 'after') =>
      average(some.map((gap) => Math.abs(gap[of] - gap.truth))).toFixed(4)
    console.log(
      `youtube-faces, ${label}: ${some.length} people, mean error ${error('before')} -> ${error('after')}`,
    )
  }
}

async function renderings(): Promise<void> {
  const model = await loadBaseModel()
  const random = createRandom(7)
  const names = model.shape.expressionNames ?? []
  const rows: Record<string, { truth: number; given: number; after: number }[]> = {}
  for (let i = 0; i < 24; i++) {
    const parameters = neutralParameters(model.layout)
    tf.dispose([parameters.expression, parameters.identity, parameters.albedo])
    const expression = new Float32Array(model.layout.expression)
    const kind = ['closed', 'open, dark', 'open, teeth'][i % 3]
    expression[names.indexOf('jawOpen')] = kind === 'closed' ? 0 : random.uniform(0.12, 0.6)
    const normal = (count: number) =>
      tf.tensor2d(
        Array.from({ length: count }, () => random.normal(0, 0.7)),
        [1, count],
      )
    parameters.expression = tf.tensor2d(expression, [1, expression.length])
    parameters.identity = normal(model.layout.identity)
    parameters.albedo = normal(model.layout.albedo)
    const rendering = renderFace(model, parameters, { width: 224, height: 224 })
    const pixels = Float32Array.from(await rendering.image.data())
    const hole = await rendering.innerMouth.data()
    if (kind === 'open, teeth') {
      for (let k = 0; k < pixels.length; k++) {
        pixels[k] += hole[Math.floor(k / 3)] * ([0.85, 0.8, 0.74][k % 3] - pixels[k])
      }
    }
    const image = ndarray(
      pixels.map((value) => Math.min(1, Math.max(0, value + random.normal(0, 0.01)))),
      [224, 224, 3],
    )
    const truth = ndarray(Float32Array.from(await rendering.landmarks.data()), [68, 2])
    for (const bias of [-0.03, 0, 0.03, 0.06]) {
      // Open mouths are not made wider: of those the network is right.
      if (kind !== 'closed' && bias > 0) continue
      const given = ndarray(Float32Array.from(truth.data), [68, 2])
      for (const [upper, lower] of innerPairs) {
        given.set(upper, 1, given.get(upper, 1) - (52 * bias) / 2)
        given.set(lower, 1, given.get(lower, 1) + (52 * bias) / 2)
      }
      const row = { truth: gapOf(truth), given: gapOf(given), after: gapOf(closeLips(image, given)) }
      ;(rows[`${kind}, landmarks ${bias < 0 ? '' : '+'}${bias}`] ??= []).push(row)
    }
    const { fragments, ...pictures } = rendering
    tf.dispose({ ...pictures })
    tf.dispose([fragments.triangleIds, fragments.barycentrics, fragments.depth])
    disposeParameters(parameters)
  }
  for (const [label, group] of Object.entries(rows)) {
    const mean = (of: (row: (typeof group)[number]) => number) => average(group.map(of)).toFixed(3)
    console.log(
      `rendered, ${label}: gap ${mean((r) => r.truth)}, given ${mean((r) => r.given)}, corrected ${mean((r) => r.after)}, ` +
        `error ${mean((r) => Math.abs(r.given - r.truth))} -> ${mean((r) => Math.abs(r.after - r.truth))}`,
    )
  }
}

await initEngine({ backend: 'wasm' })
await renderings()
await photographs()
