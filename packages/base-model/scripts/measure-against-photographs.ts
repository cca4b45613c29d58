/** Generalisation of identity modes: people of the photographs who were left out of the statistics, in x and y. Needs the cache of
 * learn-base-model.ts and ../shared/data beside the repository:
 *
 *     node --conditions=@facekit/source --import tsx packages/base-model/scripts/measure-against-photographs.ts --cache dir
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createRandom, ValueError } from '@facekit/core'
import { Matrix, QrDecomposition, solve } from 'ml-matrix'
import { alignFaces } from '../src/learn/align-faces.js'
import { identityModes } from '../src/learn/identity-modes.js'
import { identityStatistics, identityTrust, symmetricPart } from '../src/learn/identity-statistics.js'
import { readLearningTemplate } from '../src/learn/learning-template.js'
import { readShippedModel } from '../src/load-base-model.js'
import { observePeople } from '../src/learn/observe-people.js'
import { landmarks68 } from './face-parts.js'
import { readYoutubeFaces } from './youtube-faces.js'

const { values } = parseArgs({
  options: {
    cache: { type: 'string' },
    photos: {
      type: 'string',
      default: fileURLToPath(new URL('../../../../shared/data/photos/youtube-faces', import.meta.url)),
    },
  },
})
if (values.cache === undefined)
  throw new ValueError('--cache is missing: the folder that learn-base-model.ts wrote')
const COUNTS = [10, 20, 40, 60, 80]
const CONTROL = 468 * 3

const rms = (rows: readonly ArrayLike<number>[]) =>
  Math.sqrt(
    rows.reduce((sum, row) => sum + Array.from(row).reduce((s, value) => s + value * value, 0), 0) /
      rows.length,
  )

/** Residuals of rows explained by the first k modes, least squares; and the coefficients' root mean square. */
function residuals(modes: readonly number[][], rows: readonly number[][]): string {
  const targets = new Matrix(rows as number[][]).transpose()
  return COUNTS.map((k) => {
    const basis = new Matrix(modes.slice(0, k) as number[][]).transpose()
    const solution = new QrDecomposition(basis).solve(targets)
    const rest = Matrix.sub(targets, basis.mmul(solution)).transpose().to2DArray()
    const size = Math.sqrt(solution.to1DArray().reduce((s, v) => s + v * v, 0) / k / rows.length)
    return `${rms(rest).toFixed(2)} (${size.toFixed(2)})`
  }).join('  ')
}

/** Root mean square of what is wrong when rows are told from the 68 landmarks in space, with noise of 1 mm: most probable
 * coefficients. */
function fromLandmarks(
  modes: readonly number[][],
  rows: readonly number[][],
  root: Float64Array,
  axes = [0, 1, 2],
): string {
  const at = landmarks68.flatMap((v) => axes.map((axis) => v * 3 + axis))
  const pick = (list: readonly number[][]) =>
    new Matrix(list.map((row) => at.map((i) => row[i] / root[Math.floor(i / 3)])))
  const basis = pick(modes)
  const noise = createRandom(31)
  const seen = pick(rows).add(new Matrix(rows.map(() => at.map(() => noise.normal()))))
  const normal = basis.mmul(basis.transpose()).add(Matrix.eye(modes.length))
  const coefficients = solve(normal, basis.mmul(seen.transpose())).transpose()
  const rest = Matrix.sub(new Matrix(rows as number[][]), coefficients.mmul(new Matrix(modes as number[][])))
  return rms(rest.to2DArray()).toFixed(2)
}

const template = readLearningTemplate(await readShippedModel('synthetic'))
const seen = await observePeople(
  await readYoutubeFaces(values.photos),
  template,
  () => Promise.reject(new Error('not all photographs are in the cache; run learn-base-model.ts first')),
  { cache: values.cache },
)
const { faces } = alignFaces(seen, template)
const left = (person: number) => person % 5 === 0
const { fields } = identityStatistics(
  faces.filter(({ person }) => !left(person)),
  template,
  { stretch: 0.5 },
)
const groups = new Map<number, typeof faces>()
for (const face of faces) {
  if (left(face.person)) groups.set(face.person, [...(groups.get(face.person) ?? []), face])
}
const area = template.controlArea.map(Math.sqrt)
const flat = (field: ArrayLike<number>) =>
  Array.from(field, (value, i) => (i % 3 === 2 ? 0 : value * area[Math.floor(i / 3)]))
const means = [...groups.values()].map((group) => {
  const mean = new Float64Array(CONTROL)
  const total = group.reduce((sum, face) => sum + identityTrust(face), 0)
  for (const face of group) {
    for (let i = 0; i < CONTROL; i++) mean[i] += (identityTrust(face) / total) * face.deviation[i]
  }
  return symmetricPart(mean, template.controlMirror)
})
const center = means[0].map((_, i) => means.reduce((sum, mean) => sum + mean[i] / means.length, 0))
const rows = means.map((mean) => flat(mean.map((value, i) => value - center[i])))
console.log(
  `left-out people of the photographs: ${rows.length}, ${rms(rows).toFixed(2)} mm from their mean in x and y; residual:`,
)
for (const [name, learnedShare] of [
  ['learned from the others', 0.2],
  ['Gaussian process alone', 0],
] as const) {
  const { fields: modes } = identityModes(
    template.control,
    Array.from(template.controlMirror),
    template.controlArea,
    { count: 80, learned: fields, learnedShare, asymmetry: 0.18, rootMeanSquare: 3.3 },
  )
  const flatModes = modes.map(flat)
  console.log(`${name}: ${residuals(flatModes, rows)}`)
  console.log(
    `  from 68 landmarks in x and y with 1 mm noise: ${fromLandmarks(flatModes, rows, area, [0, 1])} mm`,
  )
}
