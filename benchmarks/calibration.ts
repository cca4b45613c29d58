// How honest the deviations are: of dense landmarks, of fitted vertices and of fitted coefficients, on rendered heads that no network has seen.
//
//   node --conditions=@facekit/source --import tsx benchmarks/calibration.ts [--heads 60] [--seed 900] [--size 320] [--svg docs/images/calibration.svg] [--raw]
//     [--reconstruct]
//
// An error divided by its deviation should be normal: 68 % of them within one, 95 % within two. Printed is the share within so many deviations; the picture
// draws it over the share that should be. Vertices are compared by the radius of `shapeUncertainty` after a similarity, whose quantile is that of one deviation:
// for other shares the radius is scaled. With --reconstruct also those of `reconstruct`, whose shape moves on from the landmarks' while its radii stay.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { annotate, applyTransform, type DenseLandmarks } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { encodePng } from '@facekit/export'
import { calibrateCovariance, fitDenseLandmarks, shapeUncertainty } from '@facekit/fit'
import { applySimilarity3d, fitSimilarity3d } from '@facekit/mesh'
import { evaluateShape } from '@facekit/morphable'
import { createFaceSynthesizer, disposeBatch } from '@facekit/synthetic'
import { tensor2d, zeros, type Tensor, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs-core'
import { reconstruct } from 'facekit'
import ndarray, { type NdArray } from 'ndarray'
import { printTable } from './benchmark.js'

const { values } = parseArgs({
  options: {
    heads: { type: 'string', default: '60' },
    seed: { type: 'string', default: '900' },
    size: { type: 'string', default: '320' },
    svg: { type: 'string', default: '' },
    /** The posterior as the fit has it. */
    raw: { type: 'boolean', default: false },
    /** The whole reconstruction of each picture, too. */
    reconstruct: { type: 'boolean', default: false },
  },
})
const size = Number(values.size)
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()

/** Errors over deviations. */
const found: Record<string, number[]> = {
  'landmarks, x and y': [],
  'landmarks, depth': [],
  'vertices of the face': [],
  'identity coefficients': [],
  'expression coefficients': [],
}
const squares: number[] = []
/** Of each head, mm. */
const meanErrors: Record<string, number[]> = {}
const embedder = (images: Tensor4D): Tensor2D => zeros([images.shape[0], 0])

const synthesizer = createFaceSynthesizer(model, { size, batch: 1, seed: Number(values.seed) })
let missed = 0
for (let head = 0; head < Number(values.heads); head++) {
  const batch = synthesizer.next()
  const data = await batch.image.data()
  const picture = ndarray(
    Uint8Array.from(data, (value) => Math.round(255 * value)),
    [size, size, 3],
  )
  const truth = {
    points: await batch.denseLandmarks!.data(),
    identity: await batch.parameters.identity.data(),
    expression: await batch.parameters.expression.data(),
    shape: await numbersOf(evaluateShape(model, batch.parameters)),
  }
  disposeBatch(batch)
  const [face] = await annotate(picture, { maxFaces: 1, segmenter: 'landmarks', embedder })
  if (!face?.denseLandmarks) {
    missed++
    continue
  }
  const seen = face.denseLandmarks
  seen.deviations.forEach((deviation, k) => {
    for (const axis of [0, 1])
      found['landmarks, x and y'].push((seen.positions.get(k, axis) - truth.points[3 * k + axis]) / deviation)
    found['landmarks, depth'].push((seen.depths[k] - truth.points[3 * k + 2]) / seen.depthDeviations[k])
  })
  await judgeFit(seen, face.alignment, truth)
  if (values.reconstruct) await judgeReconstruction(picture, truth.shape)
}
synthesizer.dispose()

async function judgeReconstruction(picture: NdArray<Uint8Array>, shape: ArrayLike<number>): Promise<void> {
  const face = await reconstruct(encodePng(picture), { method: 'fit', texture: 'none', backend: 'wasm' })
  try {
    const { vertices, uncertainty } = await face.geometry()
    judgeVertices('vertices of reconstruct', vertices, uncertainty!, shape)
  } finally {
    face.dispose()
  }
}

/** Errors of vertices after a similarity, over the radii. */
function judgeVertices(
  what: string,
  vertices: Float32Array,
  radius: Float32Array,
  truth: ArrayLike<number>,
): void {
  const target = Float32Array.from(truth)
  const moved = applySimilarity3d(fitSimilarity3d(vertices, target), vertices)
  const sizes: number[] = []
  for (let i = 0; i < radius.length; i++) {
    const error = Math.hypot(...[0, 1, 2].map((axis) => moved[3 * i + axis] - target[3 * i + axis]))
    ;(found[what] ??= []).push(error / radius[i])
    sizes.push(error)
  }
  ;(meanErrors[what] ??= []).push(sizes.reduce((a, b) => a + b, 0) / sizes.length)
}

async function numbersOf(tensor: Tensor): Promise<Float32Array> {
  const numbers = (await tensor.data()) as Float32Array
  tensor.dispose()
  return numbers
}

async function judgeFit(
  seen: DenseLandmarks,
  alignment: Awaited<ReturnType<typeof annotate>>[number]['alignment'],
  truth: Record<'identity' | 'expression' | 'shape', ArrayLike<number>>,
): Promise<void> {
  const { size: side, transform, landmarks } = alignment
  const scaled = (numbers: Float32Array) => numbers.map((number) => number * transform.scale)
  const inCrop = {
    ...seen,
    positions: applyTransform(transform, seen.positions),
    deviations: scaled(seen.deviations),
    depths: scaled(seen.depths),
    depthDeviations: scaled(seen.depthDeviations),
  }
  const fit = fitDenseLandmarks(inCrop, model, { width: side, height: side, landmarks })
  const covariance = values.raw
    ? fit.posterior.covariance
    : calibrateCovariance(fit.posterior.covariance, model.layout)
  const coefficients = Float32Array.from([...fit.identity, ...fit.expression])
  const all = [...Array.from(truth.identity), ...Array.from(truth.expression)]
  const count = all.length
  for (let k = 0; k < count; k++) {
    const part = k < model.layout.identity ? 'identity coefficients' : 'expression coefficients'
    found[part].push((coefficients[k] - all[k]) / Math.sqrt(covariance[k * count + k]))
  }
  squares.push(fit.identity.reduce((sum, c) => sum + c * c, 0) / model.layout.identity)
  const radius = await shapeUncertainty(model, coefficients, covariance)
  const row = (numbers: Float32Array) => tensor2d(numbers, [1, numbers.length])
  const parts = { identity: row(fit.identity), expression: row(fit.expression) }
  const shape = await numbersOf(evaluateShape(model, parts))
  Object.values(parts).forEach((part) => part.dispose())
  judgeVertices('vertices of the face', shape, radius, truth.shape)
}

const STEPS = Array.from({ length: 31 }, (_, i) => i / 10)
/** Share of a normal distribution within so many deviations (Abramowitz and Stegun 7.1.26). */
function expected(deviations: number): number {
  const x = deviations / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const terms = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]
  return 1 - terms.reduceRight((sum, term) => (sum + term) * t, 0) * Math.exp(-x * x)
}
const within = (errors: readonly number[], deviations: number) =>
  errors.reduce((sum, error) => sum + Number(Math.abs(error) <= deviations), 0) / errors.length

printTable(
  Object.entries(found).map(([what, errors]) => ({
    what,
    numbers: errors.length,
    ...Object.fromEntries([0.5, 1, 2, 3].map((k) => [`within ${k}, %`, 100 * within(errors, k)])),
  })),
)
for (const [what, errors] of Object.entries(meanErrors))
  console.log(`${what}: ${(errors.reduce((a, b) => a + b, 0) / errors.length).toFixed(2)} mm off in the mean`)
console.log(`expected: ${[0.5, 1, 2, 3].map((k) => (100 * expected(k)).toFixed(1)).join(', ')} %`)
console.log(
  `mean of c'c / K of the fits: ${(squares.reduce((a, b) => a + b, 0) / squares.length).toFixed(2)}; ${missed} heads were not found`,
)

if (values.svg) await writeFile(values.svg, picture())

/** Shares that were found over shares that should be. */
function picture(): string {
  const [side, left, top] = [300, 44, 16]
  const colors = ['#4269d0', '#97bbf5', '#efb118', '#ff725c', '#6cc5b0', '#3ca951']
  const place = (x: number, y: number) =>
    `${(left + side * x).toFixed(1)},${(top + side * (1 - y)).toFixed(1)}`
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text x="${left + side * share}" y="${top + side + 16}" text-anchor="middle">${100 * share}</text>` +
      `<text x="${left - 6}" y="${top + side * (1 - share) + 4}" text-anchor="end">${100 * share}</text>`,
  )
  const lines = Object.entries(found).map(([what, errors], i) => {
    const points = STEPS.map((k) => place(expected(k), within(errors, k))).join(' ')
    return (
      `<polyline points="${points}" fill="none" stroke="${colors[i]}" stroke-width="2"/>` +
      `<text x="${left + side + 14}" y="${top + 14 + 18 * i}" fill="${colors[i]}">${what}</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 540 360" font-family="sans-serif" font-size="12">
<rect width="540" height="360" fill="#fff"/>
<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="#888"/>
<line x1="${left}" y1="${top + side}" x2="${left + side}" y2="${top}" stroke="#888" stroke-dasharray="4"/>
${ticks.join('\n')}
${lines.join('\n')}
<text x="${left + side / 2}" y="${top + side + 34}" text-anchor="middle">expected share within a multiple of the deviation, %</text>
<text transform="translate(12 ${top + side / 2}) rotate(-90)" text-anchor="middle">found, %</text>
</svg>
`
}
process.exit(0)
