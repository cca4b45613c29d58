/* Fits the two pairs of Gaussian mixtures of the skin classifier and reports how well it tells skin on people it never saw.
 *
 * node --conditions=@facekit/source --import tsx packages/annotate/scripts/fit-skin-model.ts <folder> [--write]
 *
 * The folder is laid out as <person>/<picture>.jpg with landmarks.json ({ "<person>/<picture>.jpg": 68 x [x, y] }).
 * Skin: pixels of cheeks, nose and the place between the brows. Not skin: pixels clearly outside of the face and above the
 * chin (or far beside it, so that no neck is among them). Eyes, brows and lips are in neither. As many pixels from each
 * picture, as many pictures from each person. --write writes src/skin/skin-model.ts: means, covariances and weights, no picture.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ndarray from 'ndarray'
import { createRandom } from '@facekit/core'
import { alignmentTransform } from '../src/pictures/align-face.js'
import { faceRegion } from '../src/segment/face-region.js'
import { fitGaussianMixture, logDensity, type GaussianMixture } from '../src/skin/gaussian-mixture.js'
import { polygonCoverage } from '../src/pictures/polygon-coverage.js'
import { readPicture } from '../src/pictures/read-picture.js'
import { resample } from '../src/pictures/resample.js'
import {
  applyTransform,
  type Points,
  type SimilarityTransform,
} from '../src/pictures/similarity-transform.js'
import { bareSkinPolygons, featurePolygons, skinFeatures, skinReference } from '../src/skin/skin-features.js'

interface Sample {
  absolute: number[]
  /** Differences from each reference; the first is used to fit. */
  relative: number[][]
}
interface PersonSamples {
  skin: Sample[]
  other: Sample[]
  brightness: number
}

const [folder, ...flags] = process.argv.slice(2)
if (!folder) throw new Error('usage: fit-skin-model.ts <folder with landmarks.json> [--write]')
const size = 160
const margin = 24
const picturesEach = 3
const samplesEach = 60
const random = createRandom(20)

const landmarksOf: Record<string, [number, number][]> = JSON.parse(
  await readFile(join(folder, 'landmarks.json'), 'utf8'),
)
const people = groupByPerson(Object.keys(landmarksOf).sort())
const collected: PersonSamples[] = []
for (const paths of people.values()) {
  const chosen = random.shuffle(paths).slice(0, picturesEach)
  const parts: PersonSamples[] = []
  // One after the other: the order of draws decides the result.
  for (const path of chosen) parts.push(await samplePicture(path))
  collected.push({
    skin: parts.flatMap((part) => part.skin),
    other: parts.flatMap((part) => part.other),
    brightness: parts.reduce((sum, part) => sum + part.brightness / parts.length, 0),
  })
}
const test = collected.filter((_, i) => i % 3 === 0)
const training = collected.filter((_, i) => i % 3 !== 0)

const fit = (kind: 'skin' | 'other', of: 'absolute' | 'relative', components: number) =>
  fitGaussianMixture(
    training.flatMap((person) =>
      person[kind].map((sample) => (of === 'absolute' ? sample.absolute : sample.relative[0])),
    ),
    { components, seed: 5, iterations: 60, regularization: 4e-4 },
  )
const model = {
  absolute: { skin: fit('skin', 'absolute', 4), other: fit('other', 'absolute', 8) },
  relative: { skin: fit('skin', 'relative', 4), other: fit('other', 'relative', 8) },
}
const ratio = (pair: { skin: GaussianMixture; other: GaussianMixture }) => {
  const [skin, other] = [logDensity(pair.skin), logDensity(pair.other)]
  return (x: number[]) => skin(x) - other(x)
}
const absolute = ratio(model.absolute)
const relative = ratio(model.relative)
const nearest = (sample: Sample) => Math.max(...sample.relative.map(relative))
const scores: Record<string, (sample: Sample) => number> = {
  'picture-independent mixtures alone': (sample) => absolute(sample.absolute),
  'mixtures relative to bare skin alone': (sample) => relative(sample.relative[0]),
  'the same, nearest reference': nearest,
}
for (const share of [0.25, 0.5, 1]) {
  scores[`${share} x independent + nearest`] = (s) => share * absolute(s.absolute) + nearest(s)
}
const byBrightness = [...test].sort((a, b) => a.brightness - b.brightness)
const third = Math.ceil(byBrightness.length / 3)
console.log(
  `${training.length} people to fit, ${test.length} held out; AUC: all, darkest third, middle, lightest`,
)
for (const [name, score] of Object.entries(scores)) {
  const thirds = [0, 1, 2].map((i) => auc(byBrightness.slice(i * third, (i + 1) * third), score))
  console.log(name, auc(test, score).toFixed(4), thirds.map((value) => value.toFixed(4)).join(' '))
}
for (const name of ['mixtures relative to bare skin alone', '0.25 x independent + nearest']) {
  const share = (kind: 'skin' | 'other') => {
    const all = test.flatMap((person) => person[kind])
    return (all.filter((sample) => scores[name](sample) > 0).length / all.length).toFixed(3)
  }
  console.log(`${name}: called skin at even odds: ${share('skin')} of skin, ${share('other')} of the rest`)
}

if (flags.includes('--write')) {
  const text = JSON.stringify(model, (_, value) => (typeof value === 'number' ? round(value) : value), 2)
  await writeFile(
    new URL('../src/skin/skin-model.ts', import.meta.url),
    `import type { GaussianMixture } from './gaussian-mixture.js'

/** Two densities that a naive Bayes classifier compares. */
export interface DensityPair {
  readonly skin: GaussianMixture
  readonly other: GaussianMixture
}

/** Densities of skinFeatures: as they are, and as differences from the same face's cheeks.
 *
 * Written by scripts/fit-skin-model.ts from ${training.length} subjects of YouTube Faces; statistics only.
 */
export const skinModel: { readonly absolute: DensityPair; readonly relative: DensityPair } = ${text}
`,
  )
}

async function samplePicture(path: string): Promise<PersonSamples> {
  const picture = await readPicture(join(folder, path))
  const original: Points = ndarray(Float32Array.from(landmarksOf[path].flat()), [68, 2])
  // Half the resolution of the crop, and a margin of surroundings.
  const half = alignmentTransform(original, size - 2 * margin)
  const [x, y] = half.translation
  const transform: SimilarityTransform = { ...half, translation: [x + margin, y + margin] }
  const landmarks = applyTransform(transform, original)
  const raster = { data: picture.data, height: picture.shape[0], width: picture.shape[1], channels: 3 }
  const { data, inside } = resample(raster, transform, { x: 0, y: 0, width: size, height: size })
  for (let i = 0; i < data.length; i++) data[i] /= 255
  const image = ndarray(data, [size, size, 3])
  const mask = ndarray(inside, [size, size])
  const reference = skinReference(image, landmarks, mask)

  const skin = polygonCoverage(bareSkinPolygons(landmarks), size, size)
  const { eyes, brows, lips } = featurePolygons(landmarks)
  const features = polygonCoverage([...eyes, ...brows, lips], size, size)
  const centre: [number, number] = [landmarks.get(27, 0), landmarks.get(27, 1)]
  const wide = ndarray(
    Float32Array.from(original.data, (_, i) => {
      const axis = i % 2
      return centre[axis] + 1.25 * (landmarks.get(i >> 1, axis) - centre[axis])
    }),
    [68, 2],
  )
  const face = faceRegion(wide, { size, forehead: 1.1, innerMouth: true }).data
  const halfWidth = Math.abs(landmarks.get(16, 0) - landmarks.get(0, 0)) / 2

  const pick = (keep: (x: number, y: number, i: number) => boolean): Sample[] => {
    const pixels: number[] = []
    for (let i = 0; i < size * size; i++) {
      if (inside[i] > 0.99 && keep(i % size, Math.floor(i / size), i)) pixels.push(i)
    }
    return random
      .shuffle(pixels)
      .slice(0, samplesEach)
      .map((i) => {
        const found = [0, 0, 0]
        skinFeatures(data[3 * i], data[3 * i + 1], data[3 * i + 2], found)
        return {
          absolute: found,
          relative: reference.centres.map((centre) => found.map((value, k) => value - centre[k])),
        }
      })
  }
  return {
    skin: pick((_x, _y, i) => skin[i] > 0.99 && features[i] === 0),
    other: pick(
      (column, row, i) =>
        face[i] === 0 &&
        (row < landmarks.get(57, 1) || Math.abs(column - landmarks.get(8, 0)) > 1.4 * halfWidth),
    ),
    brightness: reference.centres[0][0],
  }
}

/** Area under the ROC curve: how often a random skin pixel scores above a random other one. */
function auc(group: PersonSamples[], score: (sample: Sample) => number): number {
  const all = [
    ...group.flatMap((person) => person.skin.map((sample) => ({ score: score(sample), skin: 1 }))),
    ...group.flatMap((person) => person.other.map((sample) => ({ score: score(sample), skin: 0 }))),
  ].sort((a, b) => a.score - b.score)
  const skins = all.reduce((sum, item) => sum + item.skin, 0)
  const ranks = all.reduce((sum, item, i) => sum + item.skin * (i + 1), 0)
  return (ranks - (skins * (skins + 1)) / 2) / (skins * (all.length - skins))
}

function round(value: number): number {
  return Number(value.toPrecision(6))
}

function groupByPerson(paths: string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const path of paths) {
    const person = path.split('/')[0]
    groups.set(person, [...(groups.get(person) ?? []), path])
  }
  return groups
}
