/** Renders the example faces of the page, people who never were: chosen by eye from the first pictures of two seeds.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/example-faces.ts apps/web/public/examples
 */
import { join } from 'node:path'
import { loadBaseModel } from '@facekit/base-model'
import { initEngine } from '@facekit/engine'
import { createFaceSynthesizer, disposeBatch, type SynthesizerOptions } from '@facekit/synthetic'
import sharp from 'sharp'

const SIZE = 512
const CHOSEN = [
  { seed: 13, picture: 10 },
  { seed: 12, picture: 14 },
  { seed: 12, picture: 8 },
]

/** As in a good photograph: nothing before the face, eyes open more often than not, white light. */
const options: SynthesizerOptions = {
  size: SIZE,
  batch: 1,
  identityDeviation: 0.9,
  expression: 0.5,
  pose: { yaw: 14, pitch: 4, roll: 3 },
  framing: { scale: [0.75, 0.85], shift: 0 },
  light: { exposure: [0.9, 1.2], color: 0.1 },
  hair: { bald: 0 },
  occluders: { hat: 0, glasses: 0.06, sunglasses: 0, hand: 0, object: 0, mask: 0, scarf: 0, patch: 0 },
  background: { plain: 1 },
  camera: { faceSize: [2000, 2000], blur: 0, noise: 0.1, color: 0.1, compression: 0 },
}

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
for (const [i, { seed, picture }] of CHOSEN.entries()) {
  const synthesizer = createFaceSynthesizer(model, { ...options, seed })
  synthesizer.restore({ seed, picture })
  const batch = synthesizer.next()
  const [colors, labels] = await Promise.all([batch.image.data(), batch.labels.data()])
  const bytes = Uint8Array.from(colors, (value, at) => {
    const pixel = Math.floor(at / 3)
    const grey = (colors[3 * pixel] + colors[3 * pixel + 1] + colors[3 * pixel + 2]) / 3
    // Backgrounds teach networks by their colours; behind these faces they are muted.
    const shown = labels[pixel] === 0 ? 0.25 * value + 0.75 * (0.35 + 0.35 * grey) : value
    return Math.round(255 * Math.min(1, Math.max(0, shown)))
  })
  await sharp(bytes, { raw: { width: SIZE, height: SIZE, channels: 3 } })
    .jpeg({ quality: 88, mozjpeg: true })
    .toFile(join(process.argv[2], `${i + 1}.jpg`))
  disposeBatch(batch)
  synthesizer.dispose()
}
process.exit(0)
