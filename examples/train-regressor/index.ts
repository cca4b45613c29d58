/** Trains regressors on rendered faces, and on photographs; see README.md. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadBaseModel } from '@facekit/base-model'
import { writeFileAtomic } from '@facekit/core'
import { initEngine } from '@facekit/engine'
import type { MorphableModel } from '@facekit/morphable'
import { neutralParameters } from '@facekit/parameters'
import {
  createRegressor,
  loadDenseBackbone,
  loadRegressor,
  saveRegressor,
  type BackboneName,
  type FaceRegressor,
} from '@facekit/regressor'
import { createFaceSynthesizer, type SynthesizerOptions } from '@facekit/synthetic'
import { copyWeights } from './copy-weights.js'
import { facePoints } from './face-points.js'
import { photographBatches } from './photograph-batches.js'
import { joinPhotographs, readPhotographs } from './photograph-file.js'
import { regressorBatches, type RegressorBatch } from './regressor-batches.js'
import { regressorScores } from './regressor-scores.js'
import { trainRegressors } from './train-regressors.js'

const { values } = parseArgs({
  options: {
    backbones: { type: 'string', default: 'mobile,resnet50' },
    iterations: { type: 'string', default: '24000' },
    seconds: { type: 'string' },
    part: { type: 'string', default: '0,1' },
    batch: { type: 'string', default: '32' },
    'held-out': { type: 'string', default: '8' },
    uses: { type: 'string', default: '3' },
    'learning-rate': { type: 'string', default: '5e-4' },
    rise: { type: 'string', default: '1000' },
    'evaluate-every': { type: 'string', default: '2000' },
    'log-every': { type: 'string', default: '200' },
    folder: { type: 'string', default: 'runs/regressors' },
    output: { type: 'string', default: 'runs/regressors' },
    model: { type: 'string' },
    photographs: { type: 'string' },
    'photograph-batch': { type: 'string' },
    from: { type: 'string' },
    distill: { type: 'string' },
    'clip-norm': { type: 'string', default: '50' },
    'dense-landmarks': { type: 'string', default: 'packages/annotate/weights/dense-landmarks.safetensors' },
    backend: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'mixed' },
    'file-precision': { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})
const number = (name: keyof typeof values) => Number(values[name])
const log = (text: string) => console.log(`${(performance.now() / 1000).toFixed(1)} s  ${text}`)
/** Sides of the pictures that the networks see; those of the batches are 224. */
const INPUT_SIZES: Record<BackboneName, number> = { dense: 192, mobile: 160, resnet18: 192, resnet50: 192 }
/** Faces as `alignFace` cuts them out, a little off, by cameras from a selfie to a telephoto lens. */
const SETTINGS: SynthesizerOptions = {
  size: 224,
  pose: { yaw: 75, pitch: 35, roll: 10 },
  framing: { scale: [0.92, 1.09], shift: 0.012, distance: [400, 3500] },
  hair: { bald: 0.15 },
}
/** Seeds of pictures that are held out. */
const OTHER_SEED = 20_261

const { backend, precision, precisionReason } = await initEngine({
  backend: values.backend as 'auto',
  precision: values.precision as 'mixed',
})
log(`backend ${backend}, ${precision} ${precisionReason ?? ''}`)
const model = await loadBaseModel({ variant: 'scans', source: values.model })
const face = facePoints(model)
const regressors: Record<string, FaceRegressor> = {}
for (const name of values.backbones.split(',') as BackboneName[]) regressors[name] = await open(name, model)

await beginFrom(values.from)
const heldOut = await renderHeldOut()
const photographs = values.photographs ? await openPhotographs(values.photographs) : undefined
const mean = await regressorScores(
  (images) => neutralParameters(model.layout, images.shape[0]),
  model.layout,
  face,
  heldOut,
)
log(`the mean face: ${round(mean)}`)
const synthesizer = createFaceSynthesizer(model, {
  ...SETTINGS,
  batch: number('batch'),
  seed: number('seed'),
})
const batches = regressorBatches(synthesizer, { uses: number('uses'), seed: number('seed') })
let last: unknown
const result = await trainRegressors({
  regressors,
  teachers: Object.fromEntries(pairs(values.distill)),
  face,
  batches,
  heldOut,
  ...(photographs && { photographs }),
  iterations: number('iterations'),
  // Of the process: what came before is taken off.
  ...(values.seconds !== undefined && { seconds: number('seconds') - performance.now() / 1000 }),
  part: values.part.split(',').map(Number) as [number, number],
  learningRate: number('learning-rate'),
  rise: number('rise'),
  clipNorm: number('clip-norm'),
  folder: values.folder,
  checkpointEvery: 1e9,
  evaluateEvery: number('evaluate-every'),
  onProgress: ({ iteration, loss, speed, terms, evaluation, learningRate }) => {
    if (iteration % number('log-every') === 0)
      log(
        `${iteration}: ${speed.toFixed(1)}/s, loss ${loss.toFixed(3)}, rate ${learningRate.toExponential(1)} ${round(terms)}`,
      )
    if (evaluation !== undefined && evaluation !== last) log(`${iteration}: ${round(evaluation)}`)
    last = evaluation
  },
})
log(`${result.iterations} iterations, ended by ${result.stoppedBy}, ${round(result.evaluation ?? {})}`)
await mkdir(values.output, { recursive: true })
for (const [name, regressor] of Object.entries(regressors)) {
  const metadata = {
    training: `rendered faces${photographs ? ' and photographs' : ' alone'} (@facekit/synthetic with ${model.name}): ${result.iterations} iterations of ${values.batch} pictures`,
    license: 'Apache-2.0',
  }
  const [, precision] = pairs(values['file-precision']).find(([of]) => of === name) ?? []
  const bytes = await saveRegressor(regressor, { precision: (precision ?? 'float16') as 'int8', metadata })
  await writeFileAtomic(join(values.output, `${name}.safetensors`), bytes)
}
log('written')
process.exit(0)

async function open(backbone: BackboneName, { layout, name, shape, denseLandmarks }: MorphableModel) {
  const regressor = createRegressor({
    backbone,
    layout,
    inputSize: INPUT_SIZES[backbone],
    faceModel: name,
    ...(shape.expressionRange && { expressionRange: shape.expressionRange }),
  })
  if (backbone === 'dense' && denseLandmarks) {
    const template = Array.from(denseLandmarks, (vertex) =>
      [0, 1, 2].map((axis) => shape.mean.get(vertex, axis)),
    )
    loadDenseBackbone(regressor, await readFile(values['dense-landmarks']), template.flat())
  }
  return regressor
}

/** `name=FILE,name=FILE`: networks that go on from files of weights, of which only those are taken that fit. */
async function beginFrom(from = ''): Promise<void> {
  for (const [name, file] of pairs(from)) {
    const other = await loadRegressor(file)
    log(`${name} begins with ${copyWeights(other, regressors[name])} of the weights of ${file}`)
    other.dispose()
  }
}

/** `name=value,name=value` */
function pairs(text = ''): [string, string][] {
  return text
    .split(',')
    .filter(Boolean)
    .map((entry) => entry.split('=') as [string, string])
}

/** FILE or FILE,FILE */
async function openPhotographs(files: string) {
  const sets = await Promise.all(files.split(',').map(async (file) => readPhotographs(await readFile(file))))
  const photographs = joinPhotographs(sets)
  const rows = (other: boolean) =>
    [...photographs.heldOut].flatMap((flag, i) => (!!flag === other ? [i] : []))
  const batch = number(values['photograph-batch'] ? 'photograph-batch' : 'batch')
  const options = { layout: model.layout, batch }
  const others = photographBatches(photographs, rows(true), face, { ...options, strength: 0 })
  const heldOut = []
  for (let i = 0; i < rows(true).length / options.batch - 1; i++) heldOut.push(await others.next())
  others.dispose()
  log(`${rows(false).length} photographs, ${rows(true).length} of other people`)
  return { model, batches: photographBatches(photographs, rows(false), face, options), heldOut }
}

async function renderHeldOut(): Promise<RegressorBatch[]> {
  const other = createFaceSynthesizer(model, { ...SETTINGS, batch: number('batch'), seed: OTHER_SEED })
  const source = regressorBatches(other, { uses: 1, seed: OTHER_SEED, strength: 0 })
  const rendered: RegressorBatch[] = []
  while (rendered.length < number('held-out')) {
    const start = performance.now()
    rendered.push(await source.next())
    await rendered.at(-1)![1].data()
    log(`held out: ${values.batch} pictures in ${(performance.now() - start).toFixed(0)} ms`)
  }
  source.dispose()
  other.dispose()
  return rendered
}

function round(numbers: Readonly<Record<string, number>>): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value.toPrecision(4))])),
  )
}
