// Chooses the labelled photographs that the regressor is trained on: no profiles, and no faces that the picture's border cuts off.
//   node --conditions=@facekit/source --import tsx packages/regressor-weights/scripts/prepare-photographs.ts <labels of facekit annotate> <folder>
import { openDataset, writeShards, type FaceSample } from '@facekit/dataset'

/** Least values of `quality`. */
const LEAST = { frontal: 0.02, inside: 0.25 }

const [from, to] = process.argv.slice(2)
const dataset = await openDataset(from)
let [poor, unreadable] = [0, 0]
const people = new Set<string>()

async function* chosen(): AsyncGenerator<FaceSample> {
  for await (const sample of dataset.samples({ onSkip: () => unreadable++ })) {
    const { frontal = 1, inside = 1 } = sample.quality ?? {}
    if (frontal < LEAST.frontal || inside < LEAST.inside) {
      poor++
      continue
    }
    people.add(sample.identity ?? sample.key)
    yield sample
  }
}

const { samples, bytes } = await writeShards(chosen(), to, { quality: 88 })
console.log(
  `${samples} faces of ${people.size} people in ${to}, ${(bytes / 1e6).toFixed(1)} MB; ${poor} left out, ${unreadable} could not be read`,
)
