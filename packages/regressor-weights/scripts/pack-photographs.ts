// Packs labelled photographs for training on another machine, with some people held out.
//   node --conditions=@facekit/source --import tsx packages/regressor-weights/scripts/pack-photographs.ts <folder of shards> -o pack.safetensors
//     [--held-out 48] [--quality 0.25] [--megabytes 25]
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { createRandom, writeFileAtomic } from '@facekit/core'
import { openDataset } from '@facekit/dataset'
import sharp from 'sharp'
import { writePhotoPack, type PackedPhoto } from './photo-pack.js'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', short: 'o', default: 'pack.safetensors' },
    'held-out': { type: 'string', default: '48' },
    quality: { type: 'string', default: '0.25' },
    megabytes: { type: 'string', default: '25' },
    people: { type: 'string' },
  },
})
const dataset = await openDataset(positionals[0])
// The people of the whole collection, so that the same ones are held out whatever is labelled by now.
const names = options.people
  ? (JSON.parse(await readFile(options.people, 'utf8')) as string[])
  : [...dataset.identities]
const heldOut = new Set(createRandom(7).shuffle(names).slice(0, Number(options['held-out'])))
const photos: PackedPhoto[] = []
let [poor, size, bytes] = [0, 224, 0]
const limit = 1e6 * Number(options.megabytes)
for await (const sample of dataset.samples({ shuffle: 3, onSkip: () => poor++ })) {
  const { identity = sample.key, image, annotation, quality } = sample
  if ((quality?.frontal ?? 1) < 0.02 || (quality?.inside ?? 1) < Number(options.quality)) {
    poor++
    continue
  }
  size = image.shape[0]
  const half = size / 2
  const masks = new Uint8Array(half * half * 3)
  const parts = [annotation.faceRegion, annotation.innerMouth, annotation.skinProbability]
  for (const [c, mask] of parts.entries()) {
    for (let y = 0; y < half; y++) {
      for (let x = 0; x < half; x++) {
        let sum = 0
        for (const dy of [0, 1]) for (const dx of [0, 1]) sum += mask.get(2 * y + dy, 2 * x + dx)
        masks[3 * (y * half + x) + c] = Math.round((255 / 4) * sum)
      }
    }
  }
  // Steps of 17 instead of 1 compress three times as well.
  for (let i = 0; i < masks.length; i++) masks[i] = 17 * Math.round(masks[i] / 17)
  const raw = sharp(image.data, { raw: { width: size, height: size, channels: 3 } })
  const jpeg = await raw.jpeg({ quality: 88 }).toBuffer()
  const landmarks = Float32Array.from({ length: 136 }, (_, i) => annotation.landmarks.get(i >> 1, i & 1))
  photos.push({ jpeg, masks, landmarks, person: names.indexOf(identity), heldOut: heldOut.has(identity) })
  bytes += jpeg.length
  if (bytes > 0.8 * limit) break
}
const pack = await writePhotoPack(photos, size)
await writeFileAtomic(options.out, pack)
const held = photos.filter((photo) => photo.heldOut)
const people = (list: PackedPhoto[]) => new Set(list.map(({ person }) => person)).size
console.log(
  `${photos.length} photographs of ${people(photos)} people, of them ${held.length} of ${people(held)} held out; ${poor} left out; ${(pack.length / 1e6).toFixed(1)} MB`,
)
