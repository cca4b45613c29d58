// How far shapes that were found in several photographs of a person agree: what can be said of shape without scans. Of each person one frame of each clip (other light, other
// camera, other side), each fitted by itself.
//   node --conditions=@facekit/source --import tsx benchmarks/shape-agreement.ts FRAMES [--people 28] [--seed 7] [--methods landmarks,fit,regress] [--regressor FILE ...] [--refine-iterations 40]
// FRAMES has a folder for each person, in it CF.jpg (clip, frame). The first 48 people of seed 7 are those that no network of ours has seen.
// `agree`: the intraclass correlation (one way) of the neutral face's front vertices after a similarity, in per cent: 100 when all frames of a person give one shape, 0 when two
// of a person differ as two people do. It sees what is alike in each picture of a person and no shape as shape, too (a beard): a share that rises may mislead, one that
// falls does not. `rank 1`: share of frames whose most similar shape (cosine) is of the same person.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { annotate, readPicture, type FaceAnnotation, type Picture } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import { fitFace, type FitResult } from '@facekit/fit'
import { applySimilarity3d, fitSimilarity3d } from '@facekit/mesh'
import { disposeParameters, readParameters } from '@facekit/parameters'
import { loadRegressor, type FaceRegressor } from '@facekit/regressor'
import * as tf from '@tensorflow/tfjs-core'
import { printTable } from './benchmark.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    people: { type: 'string', default: '28' },
    seed: { type: 'string', default: '7' },
    methods: { type: 'string', default: 'landmarks,fit' },
    regressor: { type: 'string', multiple: true, default: [] },
    'refine-iterations': { type: 'string', default: '40' },
  },
})
const [folder] = positionals
if (folder === undefined) throw new Error('name a folder of frames')
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const regressors = new Map<string, FaceRegressor>()
for (const file of values.regressor) regressors.set(file, await loadRegressor(file))
/** Vertices 0 to 467 are the front of the face. */
const FRONT = 468

type Fit = (picture: Picture, face: FaceAnnotation) => Promise<FitResult>
const methods: Record<string, Fit> = {
  landmarks: (picture, face) => fitFace(picture, face, model, { iterations: 0 }),
  fit: (picture, face) => fitFace(picture, face, model),
}
for (const [file, regressor] of regressors) {
  const { identityShare: priorShare = 0.75 } = regressor
  methods[`regress ${file}`] = (picture, face) =>
    predicted(regressor, face, (start) => fitFace(picture, face, model, { start, iterations: 0 }))
  methods[`refine ${file}`] = (picture, face) =>
    predicted(regressor, face, (prior) =>
      fitFace(picture, face, model, {
        prior,
        priorShare,
        rate: 2,
        iterations: Number(values['refine-iterations']),
      }),
    )
}
const asked = values.methods.split(',')
const chosen = Object.entries(methods).filter(([name]) => asked.includes(name.split(' ')[0]))

async function predicted(
  regressor: FaceRegressor,
  { alignment: { image, size } }: FaceAnnotation,
  use: (parameters: ReturnType<FaceRegressor['predict']>) => Promise<FitResult>,
): Promise<FitResult> {
  const crop = tf.tensor3d(image.data as Float32Array, [size, size, 3])
  const found = regressor.predict(crop)
  crop.dispose()
  return use(found).finally(() => disposeParameters(found))
}

/** `[3 * FRONT]` mm of the neutral face. */
function frontOf(identity: ArrayLike<number>): Float32Array {
  const { mean, identity: modes } = model.shape
  const size = 3 * model.vertexCount
  return Float32Array.from({ length: 3 * FRONT }, (_, i) => {
    let sum = mean.data[i] as number
    for (let k = 0; k < identity.length; k++) sum += identity[k] * (modes.data[k * size + i] as number)
    return sum
  })
}

interface Found {
  person: number
  shape: Float32Array
  landmarkError: number
  colorError: number
}
const found = new Map<string, Found[]>(chosen.map(([name]) => [name, []]))
const people = createRandom(Number(values.seed))
  .shuffle(
    readdirSync(folder)
      .filter((name) => !name.includes('.'))
      .sort(),
  )
  .slice(0, Number(values.people))
for (const [person, name] of people.entries()) {
  const frames = readdirSync(join(folder, name)).sort()
  const clips = [...new Set(frames.map((frame) => frame[0]))].slice(0, 3)
  for (const clip of clips) {
    const picture = await readPicture(
      join(
        folder,
        name,
        frames.find((frame) => frame[0] === clip)!,
      ),
    )
    const [face] = await annotate(picture, { maxFaces: 1 })
    if (!face) continue
    for (const [method, fit] of chosen) {
      const { parameters, metrics } = await fit(picture, face)
      const [{ identity }] = await readParameters(parameters)
      disposeParameters(parameters)
      const { landmarkError, colorError } = metrics
      found.get(method)!.push({ person, shape: frontOf(identity), landmarkError, colorError })
    }
  }
  console.error(`${person + 1} of ${people.length} people`)
}

const average = (list: readonly Float32Array[]) =>
  list[0].map((_, i) => list.reduce((sum, shape) => sum + shape[i], 0) / list.length)
const less = (a: Float32Array, b: Float32Array) => a.map((value, i) => value - b[i])
const moved = (from: Float32Array, to: Float32Array) =>
  Float32Array.from(applySimilarity3d(fitSimilarity3d(from, to), from))
const square = (shape: Float32Array, axes: readonly number[]) =>
  shape.reduce((sum, value, i) => (axes.includes(i % 3) ? sum + value ** 2 : sum), 0)

/** Share of the variance, in per cent, that is between people, and the two parts in mm. */
function agreement(groups: readonly Float32Array[][], axes: readonly number[]) {
  const all = groups.flat()
  const [count, people] = [all.length, groups.length]
  const middle = average(all)
  let [between, within] = [0, 0]
  for (const group of groups) {
    const own = average(group)
    between += (group.length * square(less(own, middle), axes)) / (people - 1)
    within += group.reduce((sum, shape) => sum + square(less(shape, own), axes), 0) / (count - people)
  }
  const size = count / people
  const spread = (between - within) / size
  const mm = (variance: number) => Math.sqrt(Math.max(0, variance) / FRONT)
  return { share: (100 * spread) / (spread + within), between: mm(spread), within: mm(within) }
}

function firstRank(groups: readonly Float32Array[][]): number {
  const all = groups.flatMap((group, person) => group.map((shape) => ({ person, shape })))
  const length = (shape: Float32Array) => Math.sqrt(square(shape, [0, 1, 2]))
  const cosine = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, i) => sum + value * b[i], 0) / length(a) / length(b)
  const hits = all.filter((one) => {
    const others = all.filter((other) => other !== one)
    const alike = others.map(({ shape }) => cosine(one.shape, shape))
    return others[alike.indexOf(Math.max(...alike))].person === one.person
  })
  return (100 * hits.length) / all.length
}

const rows = [...found].map(([method, faces]) => {
  let mean = faces[0].shape
  for (let round = 0; round < 4; round++) mean = average(faces.map(({ shape }) => moved(shape, mean)))
  const groups = people
    .map((_, person) =>
      faces.filter((face) => face.person === person).map(({ shape }) => less(moved(shape, mean), mean)),
    )
    .filter((group) => group.length > 1)
  const [whole, depth] = [agreement(groups, [0, 1, 2]), agreement(groups, [2])]
  const meanOf = (value: (face: Found) => number) =>
    faces.reduce((sum, face) => sum + value(face), 0) / faces.length
  return {
    method,
    frames: groups.flat().length,
    'agree %': whole.share,
    'of depth %': depth.share,
    'between, mm': whole.between,
    'within, mm': whole.within,
    'rank 1 %': firstRank(groups),
    'landmarks %': 100 * meanOf(({ landmarkError }) => landmarkError),
    color: meanOf(({ colorError }) => colorError),
  }
})
printTable(rows)
