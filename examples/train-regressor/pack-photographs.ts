/** Makes what `index.ts --photographs` learns from: labelled photographs with a fit of the base model to each.
 *
 *   node --conditions=@facekit/source --import tsx examples/train-regressor/pack-photographs.ts LABELS PHOTOGRAPHS OUTPUT
 *
 * LABELS is a folder of `facekit annotate PHOTOGRAPHS`. No profiles, and no faces that the picture's border cuts off.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readPicture } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom, writeFileAtomic } from '@facekit/core'
import { openDataset, type FaceSample } from '@facekit/dataset'
import { initEngine } from '@facekit/engine'
import type { LandmarkFit } from '@facekit/fit'
import { labelPhotograph, mirrored } from './label-photograph.js'
import { writePhotographs } from './photograph-file.js'

/** Least values of `quality`. */
const LEAST = { frontal: 0.02, inside: 0.25 }
/** Pixels of a crop by which fitted points may be off, in the mean: where they are further the network has seen another face. */
const MOST_DISTANCE = 6

/** How many people are held out, and the seed that chooses them: the same as for the small network that ships. */
const HELD_OUT = { people: 48, seed: 7 }

const [labels, photographs, output] = process.argv.slice(2)
await initEngine({ backend: 'wasm' })
const model = await loadBaseModel({ variant: 'scans' })
const dataset = await openDataset(labels)
const rows: { sample: FaceSample; fits: LandmarkFit[]; landmarks: Float32Array[] }[] = []
let left = 0
for await (const sample of dataset.samples({ onSkip: () => left++ })) {
  const { frontal = 1, inside = 1 } = sample.quality ?? {}
  const row = frontal < LEAST.frontal || inside < LEAST.inside ? undefined : await labelled(sample)
  if (row) rows.push(row)
  else left++
  if ((rows.length + left) % 50 === 0) console.log(`${rows.length + left} of ${dataset.length}`)
}
const folders = (await readdir(photographs, { withFileTypes: true })).filter((entry) => entry.isDirectory())
const names = folders.map(({ name }) => name).sort()
const heldOut = new Set(createRandom(HELD_OUT.seed).shuffle(names).slice(0, HELD_OUT.people))
const size = rows[0].sample.image.shape[0]
const joined = (parts: ArrayLike<number>[]) => Float32Array.from(parts.flatMap((part) => Array.from(part)))
const fits = rows.flatMap((row) => row.fits)
await writeFileAtomic(
  output,
  writePhotographs({
    count: rows.length,
    size,
    model: model.name,
    people: rows.map(({ sample }) => sample.identity ?? sample.key),
    heldOut: Uint8Array.from(rows, ({ sample }) => Number(heldOut.has(sample.identity ?? sample.key))),
    pictures: Uint8Array.from(Buffer.concat(rows.map(({ sample }) => sample.image.data as Uint8Array))),
    masks: Uint8Array.from(Buffer.concat(rows.map(({ sample }) => masksOf(sample)))),
    landmarks: joined(rows.flatMap((row) => row.landmarks)),
    identity: joined(fits.map(({ identity }) => identity)),
    expression: joined(fits.map(({ expression }) => expression)),
    pose: joined(fits.map(({ rotation, translation, scale }) => [...rotation, ...translation, scale])),
  }),
)
console.log(`${rows.length} photographs in ${output}; ${left} left out`)
process.exit(0)

async function labelled(sample: FaceSample) {
  const { annotation, source, image } = sample
  const size = image.shape[0]
  const picture = await readPicture(join(photographs, source!.picture))
  const { box, transform, landmarks } = annotation
  const seen = { picture, box, transform, landmarks }
  const sides = [seen, mirrored(seen, size)]
  const fits: LandmarkFit[] = []
  for (const side of sides) fits.push(await labelPhotograph(side, model, size))
  if (fits.some(({ meanDistance }) => meanDistance > MOST_DISTANCE)) return undefined
  return { sample, fits, landmarks: sides.map((side) => Float32Array.from(side.landmarks.data)) }
}

/** `[S, S, 3]` */
function masksOf({ annotation: { faceRegion, skinProbability, innerMouth } }: FaceSample): Uint8Array {
  const channels = [faceRegion, skinProbability, innerMouth].map(({ data }) => data as Float32Array)
  return Uint8Array.from({ length: 3 * channels[0].length }, (_, i) =>
    Math.round(255 * channels[i % 3][Math.floor(i / 3)]),
  )
}
