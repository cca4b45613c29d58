// Tracking a face: processor time of its parts, and how much a face at rest trembles.
//   for q in 2 4 6 8 10 12; do for s in 1 2 3 4; do ffmpeg -i face.jpg -vf noise=alls=8:allf=t:all_seed=$s -q:v $q rest/$q-$s.jpg; done; done
//   node --conditions=@facekit/source --import tsx benchmarks/track.ts REST [--backend wasm]
// REST holds one photograph again and again, each time with other noise and JPEG of another quality, as a camera on a tripod sees it. Jitter: root mean
// square distance of the 68 landmarks from their mean over the pictures, in pixels of a crop of 224, as found and smoothed (`smoothTrack`).
// Processor milliseconds count all threads: of two cores a picture takes at best half.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  alignmentTransform,
  applyTransform,
  detectFaces,
  findDenseLandmarks,
  followDenseLandmarks,
  readPicture,
} from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine, type BackendName } from '@facekit/engine'
import { createFaceTracker, fitDenseLandmarks, smoothTrack, type TrackedFace } from '@facekit/fit'
import { printTable } from './benchmark.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'wasm' },
  },
})
await initEngine({ backend: values.backend as BackendName })
const model = await loadBaseModel()
const files = readdirSync(positionals[0]).filter((name) => /\.(png|jpe?g)$/.test(name))
const pictures = files.toSorted().map((name) => join(positionals[0], name))
const original = await readPicture(pictures[0])
const [height, width] = original.shape
const [{ box }] = await detectFaces(original)
const first = await findDenseLandmarks(original, box)
const unit = alignmentTransform(first.landmarks).scale
// The camera looks at the middle of the picture, as `facekit track` has it.
const transform = {
  scale: unit,
  rotation: 0,
  translation: [112 - (unit * width) / 2, 112 - (unit * height) / 2] as [number, number],
}
const scaled = (lengths: Float32Array) => lengths.map((value) => value * unit)
const { identity } = fitDenseLandmarks(
  {
    ...first,
    positions: applyTransform(transform, first.positions),
    deviations: scaled(first.deviations),
    depths: scaled(first.depths),
    depthDeviations: scaled(first.depthDeviations),
  },
  model,
)
const tracker = createFaceTracker(model, { identity, transform })

const spent: Record<string, number> = { read: 0, network: 0, fit: 0, wall: 0 }
async function timed<T>(name: string, run: () => T | Promise<T>): Promise<T> {
  const before = process.cpuUsage()
  const result = await run()
  const { user, system } = process.cpuUsage(before)
  spent[name] += (user + system) / 1000 / pictures.length
  return result
}

const faces: TrackedFace[] = []
let face = tracker.fit(first)
// The first is not counted: networks are loaded and compiled.
await followDenseLandmarks(original, tracker.points(face))
const started = performance.now()
// The next picture is decoded while the networks look at one, as `facekit track` does: its time is among theirs.
let next = readPicture(pictures[0])
for (const i of pictures.keys()) {
  const picture = await timed('read', () => next)
  if (i + 1 < pictures.length) next = readPicture(pictures[i + 1])
  const { found } = await timed('network', () => followDenseLandmarks(picture, tracker.points(face)))
  face = await timed('fit', () => tracker.fit(found, face))
  faces.push(face)
}
spent.wall = (performance.now() - started) / pictures.length

/** See above. */
function jitter(list: readonly (TrackedFace | undefined)[]): number {
  const seen = list.flatMap((one) => (one ? [tracker.landmarks(one)] : []))
  const mean = seen[0].map((_, i) => seen.reduce((sum, points) => sum + points[i], 0) / seen.length)
  const square = seen.reduce(
    (sum, points) => sum + points.reduce((s, value, i) => s + (value - mean[i]) ** 2, 0) / 68,
    0,
  )
  return unit * Math.sqrt(square / seen.length)
}
const smooth = smoothTrack(
  faces,
  faces.map((one) => tracker.landmarks(one)),
  1 / unit,
)
printTable([Object.fromEntries(Object.entries(spent).map(([name, ms]) => [`${name} ms`, ms]))])
printTable([{ 'jitter px': jitter(faces), smoothed: jitter(smooth) }])
