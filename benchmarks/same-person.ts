// How much more of a head's shape several photographs of one person tell than one does, from landmarks alone or (--whole) as `fitFace` has it: heads of known
// shape, seen from several sides.
//   node --conditions=@facekit/source --import tsx benchmarks/same-person.ts HEADS [--views 0 --views 0,-30,30 ...] [--cache file] [--limit 20] [--whole [--shape-weight 0.001] [--iterations 100]]
// HEADS holds pictures NAME_yYAW.png (yaw with its sign, two digits) and truth.json: `{ NAME: [x, y, z, ...] }`, 68 landmarks of each head in its own space, mm.
// What the networks see is kept in `--cache`: a second run only fits. (Not with --whole, which looks at pixels.)
// Recovered: the share of the variance between the heads' inner landmarks, without each landmark's constant part, that the fitted shape shows; 0 % is one
// face for everybody.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { annotate, readPicture, type FaceAnnotation, type Picture } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { fitFace, type LandmarkFit } from '@facekit/fit'
import { applySimilarity3d, fitSimilarity3d } from '@facekit/mesh'
import { disposeParameters, readParameters } from '@facekit/parameters'
import { defaultCamera } from '@facekit/render'
import ndarray, { type NdArray } from 'ndarray'
import { fitPhotographs } from '../packages/fit/src/landmarks/fit-photographs.js'
import { printTable } from './benchmark.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    views: { type: 'string', multiple: true, default: ['0', '0,-30,30'] },
    cache: { type: 'string' },
    limit: { type: 'string', default: '1000' },
    whole: { type: 'boolean', default: false },
    'shape-weight': { type: 'string' },
    iterations: { type: 'string' },
  },
})
/** Of the 68, without the jaw. */
const INNER = 17
const [folder] = positionals
if (folder === undefined) throw new Error('name a folder of heads')
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const truths = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Record<string, number[]>

/** Arrays of an annotation that the landmarks' fit needs, as they are stored. */
type Stored = { data: Float32Array; shape: number[] }
interface Seen {
  landmarks: Stored
  dense: { positions: Stored; landmarks: Stored }
  transform: FaceAnnotation['alignment']['transform']
  rest: object
}
const store = ({ data, shape }: NdArray<Float32Array>): Stored => ({ data: Float32Array.from(data), shape })
const restore = ({ data, shape }: Stored) => ndarray(data, shape)
const seen: Record<string, Seen | undefined> =
  values.cache !== undefined && existsSync(values.cache) ? deserialize(readFileSync(values.cache)) : {}

async function see(name: string): Promise<FaceAnnotation | undefined> {
  if (!(name in seen)) {
    const [face] = await annotate(join(folder, `${name}.png`), { maxFaces: 1 })
    const { positions, landmarks, ...rest } = face?.denseLandmarks ?? {}
    seen[name] =
      positions && landmarks
        ? {
            landmarks: store(face.alignment.landmarks),
            dense: { positions: store(positions), landmarks: store(landmarks) },
            transform: face.alignment.transform,
            rest,
          }
        : undefined
    if (values.cache !== undefined) writeFileSync(values.cache, serialize(seen))
  }
  const known = seen[name]
  if (!known) return undefined
  const { dense, transform, rest } = known
  return {
    alignment: { size: 224, transform, landmarks: restore(known.landmarks) },
    denseLandmarks: { ...rest, positions: restore(dense.positions), landmarks: restore(dense.landmarks) },
  } as FaceAnnotation
}

/** Identity and expression of the first photograph, by all stages of the fit. */
async function fitWhole(names: readonly string[]): Promise<Pick<LandmarkFit, 'identity' | 'expression'>> {
  const pictures: Picture[] = []
  const annotations: FaceAnnotation[] = []
  for (const name of names) {
    const picture = await readPicture(join(folder, `${name}.png`))
    const [face] = await annotate(picture, { maxFaces: 1 })
    if (!face) continue
    pictures.push(picture)
    annotations.push(face)
  }
  const { parameters } = await fitFace(pictures, annotations, model, {
    ...(values.iterations !== undefined && { iterations: Number(values.iterations) }),
    ...(values['shape-weight'] !== undefined && { shapeWeight: Number(values['shape-weight']) }),
  })
  const [first] = await readParameters(parameters)
  disposeParameters(parameters)
  return first
}

const yawOf = (yaw: number) => `${yaw < 0 ? '-' : '+'}${String(Math.abs(yaw)).padStart(2, '0')}`
const pictures = new Set(readdirSync(folder))

/** Inner landmarks of the mesh. */
function landmarksOf(coefficients: ArrayLike<number>, expressions: ArrayLike<number>): Float32Array {
  const { mean, identity, expression } = model.shape
  const size = 3 * model.vertexCount
  return Float32Array.from({ length: 3 * (68 - INNER) }, (_, i) => {
    const at = 3 * model.landmarks[INNER + Math.floor(i / 3)] + (i % 3)
    let sum = mean.data[at] as number
    for (let k = 0; k < coefficients.length; k++)
      sum += coefficients[k] * (identity.data[k * size + at] as number)
    for (let k = 0; k < expressions.length; k++)
      sum += expressions[k] * (expression.data[k * size + at] as number)
    return sum
  })
}

/** Percent of the variance between heads that is recovered, and that of the depth. */
function recovered(heads: readonly Float32Array[], found: readonly Float32Array[]): [number, number] {
  const moved = (from: Float32Array, to: Float32Array) =>
    Float32Array.from(applySimilarity3d(fitSimilarity3d(from, to), from))
  const average = (list: readonly Float32Array[]) =>
    list[0].map((_, i) => list.reduce((sum, x) => sum + x[i], 0) / list.length)
  const less = (a: Float32Array, b: Float32Array) => a.map((value, i) => value - b[i])
  let mean = heads[0]
  for (let round = 0; round < 4; round++) mean = average(heads.map((head) => moved(head, mean)))
  const own = heads.map((head) => less(head, moved(mean, head)))
  const errors = found.map((shape, h) => less(moved(shape, heads[h]), heads[h]))
  const constant = average(errors)
  const square = (list: readonly Float32Array[], axes: readonly number[]) =>
    list.reduce(
      (sum, x) => sum + x.reduce((s, value, i) => (axes.includes(i % 3) ? s + value ** 2 : s), 0),
      0,
    )
  const rest = errors.map((error) => less(error, constant))
  const share = (axes: readonly number[]) => 100 - (100 * square(rest, axes)) / square(own, axes)
  return [share([0, 1, 2]), share([2])]
}

const rows = []
for (const list of values.views) {
  const yaws = list.split(',').map(Number)
  const [heads, neutral, posed]: Float32Array[][] = [[], [], []]
  let milliseconds = 0
  for (const [name, truth] of Object.entries(truths)) {
    const names = yaws.map((yaw) => `${name}_y${yawOf(yaw)}`)
    if (heads.length >= Number(values.limit) || !names.every((one) => pictures.has(`${one}.png`))) continue
    const annotations: FaceAnnotation[] = []
    for (const one of values.whole ? [] : names) {
      const annotation = await see(one)
      if (annotation) annotations.push(annotation)
    }
    if (!values.whole && annotations.length < names.length) continue
    const before = process.cpuUsage()
    const fitted = values.whole
      ? await fitWhole(names)
      : fitPhotographs(annotations, model, defaultCamera).fits[0]
    const { user, system } = process.cpuUsage(before)
    milliseconds += (user + system) / 1000
    heads.push(Float32Array.from(truth.slice(3 * INNER)))
    neutral.push(landmarksOf(fitted.identity, []))
    posed.push(landmarksOf(fitted.identity, fitted.expression))
  }
  const [at, deep] = recovered(heads, neutral)
  const [withExpression] = recovered(heads, posed)
  rows.push({
    views: list,
    heads: heads.length,
    'identity %': at,
    'of depth %': deep,
    'with expression %': withExpression,
    'cpu ms a head': milliseconds / heads.length,
  })
}
printTable(rows)
