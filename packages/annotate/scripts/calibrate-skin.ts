/* Calibrates the skin probability on people whom fit-skin-model.ts did not use, and reports how far it can be trusted.
 *
 * node --conditions=@facekit/source --import tsx packages/annotate/scripts/calibrate-skin.ts <folder with landmarks.json> [--write]
 *
 * Two halves of those people: each is measured with what was learned from the other. --write writes src/skin/skin-calibration.ts, learned
 * from both. Skin: bare skin of cheeks, nose and between the brows. Not skin: pixels clearly outside of the face. As many of each.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ndarray, { type NdArray } from 'ndarray'
import { createRandom } from '@facekit/core'
import { alignmentTransform } from '../src/pictures/align-face.js'
import { faceRegion } from '../src/segment/face-region.js'
import { polygonCoverage } from '../src/pictures/polygon-coverage.js'
import { readPicture } from '../src/pictures/read-picture.js'
import { resample } from '../src/pictures/resample.js'
import { applyTransform, type Points } from '../src/pictures/similarity-transform.js'
import { skinEvidence } from '../src/skin/skin-evidence.js'
import { bareSkinPolygons, featurePolygons } from '../src/skin/skin-features.js'

interface Pixel {
  evidence: number
  skin: 0 | 1
}
interface Person {
  pixels: Pixel[]
  /** Mean log brightness of bare skin. */
  tone: number
  /** Evidence of the same bare skin with highlights and with hair on it, by strength. */
  highlights: number[][]
  beards: number[][]
}

const [folder, ...flags] = process.argv.slice(2)
if (!folder) throw new Error('usage: calibrate-skin.ts <folder with landmarks.json> [--write]')
const [size, margin, picturesEach, samplesEach] = [160, 24, 2, 60]
const strengths = [0, 0.25, 0.5, 0.75, 1]
const random = createRandom(33)
const landmarksOf = JSON.parse(await readFile(join(folder, 'landmarks.json'), 'utf8')) as Record<
  string,
  number[][]
>
const names = [...new Set(Object.keys(landmarksOf).map((path) => path.split('/')[0]))].sort()
const people: Person[] = []
for (const name of names.filter((_, i) => i % 3 === 0)) {
  const paths = Object.keys(landmarksOf).filter((path) => path.startsWith(`${name}/`))
  const parts: Person[] = []
  for (const path of random.shuffle(paths.sort()).slice(0, picturesEach)) parts.push(await look(path))
  people.push({
    pixels: parts.flatMap(({ pixels }) => pixels),
    tone: mean(parts.map(({ tone }) => tone)),
    highlights: strengths.map((_, k) => parts.flatMap(({ highlights }) => highlights[k])),
    beards: strengths.map((_, k) => parts.flatMap(({ beards }) => beards[k])),
  })
}

async function look(path: string): Promise<Person> {
  const picture = await readPicture(join(folder, path))
  const original: Points = ndarray(Float32Array.from(landmarksOf[path].flat()), [68, 2])
  const half = alignmentTransform(original, size - 2 * margin)
  const transform = {
    ...half,
    translation: half.translation.map((value) => value + margin) as [number, number],
  }
  const landmarks = applyTransform(transform, original)
  const raster = { data: picture.data, height: picture.shape[0], width: picture.shape[1], channels: 3 }
  const { data, inside } = resample(raster, transform, { x: 0, y: 0, width: size, height: size })
  for (let i = 0; i < data.length; i++) data[i] /= 255
  const image = ndarray(data, [size, size, 3])
  const evidence = skinEvidence(image, landmarks, ndarray(inside, [size, size]))
  const bare = polygonCoverage(bareSkinPolygons(landmarks), size, size)
  const { eyes, brows, lips } = featurePolygons(landmarks)
  const features = polygonCoverage([...eyes, ...brows, lips], size, size)
  const brow = polygonCoverage(brows, size, size)
  const face = wideFace(landmarks)
  const halfWidth = Math.abs(landmarks.get(16, 0) - landmarks.get(0, 0)) / 2
  const all = Array.from({ length: size * size }, (_, i) => i).filter((i) => inside[i] > 0.99)
  const skin = all.filter((i) => bare[i] > 0.99 && features[i] === 0)
  const other = all.filter((i) => {
    const isNeck =
      i / size > landmarks.get(57, 1) && Math.abs((i % size) - landmarks.get(8, 0)) < 1.4 * halfWidth
    return face[i] === 0 && !isNeck
  })
  const pick = (list: number[], value: 0 | 1): Pixel[] =>
    random
      .shuffle(list)
      .slice(0, samplesEach)
      .map((i) => ({ evidence: evidence[i], skin: value }))
  const log = (i: number) =>
    Math.log(0.299 * data[3 * i] + 0.587 * data[3 * i + 1] + 0.114 * data[3 * i + 2] + 0.04)
  // Hair is as dark as the darkest part of the brows.
  const dark = all
    .filter((i) => brow[i] > 0.99)
    .sort((a, b) => log(a) - log(b))
    .slice(0, 20)
  const hair = [0, 1, 2].map((c) => mean(dark.map((i) => data[3 * i + c])))
  // Below the landmarks of the nose: where beards grow and skin shines, far enough from where the reference is taken.
  const low = skin.filter((i) => i / size > landmarks.get(30, 1))
  return {
    pixels: [...pick(skin, 1), ...pick(other, 0)],
    tone: mean(skin.map(log)),
    highlights: strengths.map((s) => painted(image, landmarks, inside, low, [1, 1, 1], s)),
    beards: strengths.map((s) => painted(image, landmarks, inside, low, hair, s)),
  }
}

/** Evidence of some pixels after a fifth of them, in patches of 5 pixels, were mixed with a colour. */
function painted(
  image: NdArray<Float32Array>,
  landmarks: Points,
  inside: Float32Array,
  pixels: number[],
  color: number[],
  strength: number,
): number[] {
  const isPatch = (i: number) => Math.floor((i % size) / 5) % 2 === 0 && Math.floor(i / size / 5) % 3 === 0
  const chosen = pixels.filter(isPatch)
  const data = Float32Array.from(image.data)
  for (const i of chosen) {
    for (let c = 0; c < 3; c++) data[3 * i + c] += strength * (color[c] - data[3 * i + c])
  }
  const evidence = skinEvidence(ndarray(data, [size, size, 3]), landmarks, ndarray(inside, [size, size]))
  // Their middles, which the average over neighbours leaves alone.
  return chosen
    .filter((i) => Math.floor((i % size) % 5) === 2 && Math.floor(i / size) % 5 === 2)
    .map((i) => evidence[i])
}

function wideFace(landmarks: Points): Float32Array {
  const [x, y] = [landmarks.get(27, 0), landmarks.get(27, 1)]
  const wide = Float32Array.from({ length: 136 }, (_, i) => {
    const middle = i % 2 === 0 ? x : y
    return middle + 1.25 * (landmarks.get(i >> 1, i % 2) - middle)
  })
  return faceRegion(ndarray(wide, [68, 2]), { size, forehead: 1.1, innerMouth: true }).data as Float32Array
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

/** Slope and offset of greatest likelihood, by Newton's method (Platt 1999). */
function platt(pixels: readonly Pixel[]): { slope: number; offset: number } {
  let [slope, offset] = [1, 0]
  for (let round = 0; round < 30; round++) {
    let [ga, gb, aa, ab, bb] = [0, 0, 1e-6, 0, 1e-6]
    for (const { evidence, skin } of pixels) {
      const p = sigmoid(slope * evidence + offset)
      const w = p * (1 - p)
      ga += (p - skin) * evidence
      gb += p - skin
      aa += w * evidence * evidence
      ab += w * evidence
      bb += w
    }
    const determinant = aa * bb - ab * ab
    slope -= (bb * ga - ab * gb) / determinant
    offset -= (aa * gb - ab * ga) / determinant
  }
  return { slope, offset }
}

/** Probability and share of skin in ten bins, and their mean difference (expected calibration error). */
function reliability(pixels: readonly { p: number; skin: number }[]) {
  const bins = Array.from({ length: 10 }, (_, k) =>
    pixels.filter(({ p }) => Math.min(9, Math.floor(p * 10)) === k),
  )
  const rows = bins.map((bin) => ({
    count: bin.length,
    p: mean(bin.map(({ p }) => p)),
    skin: mean(bin.map(({ skin }) => skin)),
  }))
  const error = rows.reduce((sum, { count, p, skin }) => sum + count * Math.abs(p - skin), 0) / pixels.length
  return { rows, error }
}

function auc(pixels: readonly Pixel[]): number {
  const sorted = [...pixels].sort((a, b) => a.evidence - b.evidence)
  const count = sorted.filter(({ skin }) => skin === 1).length
  const ranks = sorted.reduce((sum, { skin }, i) => sum + skin * (i + 1), 0)
  return (ranks - (count * (count + 1)) / 2) / (count * (sorted.length - count))
}

const halves = [0, 1].map((h) => people.filter((_, i) => i % 2 === h))
const pixelsOf = (group: readonly Person[]) => group.flatMap(({ pixels }) => pixels)
const crossed = halves.flatMap((half, h) => {
  const { slope, offset } = platt(pixelsOf(halves[1 - h]))
  return half.map((person) => ({
    tone: person.tone,
    pixels: person.pixels.map(({ evidence, skin }) => ({ p: sigmoid(slope * evidence + offset), skin })),
  }))
})
const raw = pixelsOf(people).map(({ evidence, skin }) => ({ p: sigmoid(evidence), skin }))
const calibrated = reliability(crossed.flatMap(({ pixels }) => pixels))
console.log(`${people.length} people, ${raw.length} pixels, AUC ${auc(pixelsOf(people)).toFixed(4)}`)
console.log(
  `expected calibration error: ${reliability(raw).error.toFixed(4)} before, ${calibrated.error.toFixed(4)} after, on the other half`,
)
for (const { count, p, skin } of calibrated.rows)
  console.log(`  said ${p.toFixed(3)}, is ${skin.toFixed(3)} (${count})`)
const byTone = [...people].sort((a, b) => a.tone - b.tone)
const crossedByTone = [...crossed].sort((a, b) => a.tone - b.tone)
const third = Math.ceil(people.length / 3)
for (const [k, name] of ['darkest', 'middle', 'lightest'].entries()) {
  const [from, to] = [k * third, (k + 1) * third]
  const { error } = reliability(crossedByTone.slice(from, to).flatMap(({ pixels }) => pixels))
  console.log(
    `${name} third: AUC ${auc(pixelsOf(byTone.slice(from, to))).toFixed(4)}, calibration error ${error.toFixed(4)}`,
  )
}
const { slope, offset } = platt(pixelsOf(people))
console.log(`slope ${slope.toFixed(4)}, offset ${offset.toFixed(4)}`)
// In a face most is skin: the default prior of skinProbability.
const inFace = (evidence: number) => sigmoid(slope * evidence + offset + Math.log(0.8 / 0.2))
for (const kind of ['highlights', 'beards'] as const) {
  const row = strengths.map((s, k) => {
    const probabilities = people.flatMap((person) => person[kind][k]).map(inFace)
    return `${s}: ${mean(probabilities).toFixed(3)}`
  })
  console.log(`mean probability of skin under ${kind} of strength ${row.join(', ')}`)
}
if (flags.includes('--write')) {
  const file = new URL('../src/skin/skin-calibration.ts', import.meta.url)
  const text = await readFile(file, 'utf8')
  const values = `{ slope: ${Number(slope.toPrecision(4))}, offset: ${Number(offset.toPrecision(4))} }`
  await writeFile(
    file,
    text.replace(/\{ slope: .* \}/, () => values),
  )
}
