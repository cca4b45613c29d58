/** How many pictures a second the synthesizer makes, and a contact sheet of them.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/synthesize.ts [--backend wasm|webgpu] [--size 224] [--batch 32] [--batches 20]
 *     [--model NAME|FILE] [--options '{"pose":{"yaw":90}}'] [--sheet sheet.png [--pictures]] [--profile]
 */
import { parseArgs } from 'node:util'
import { loadBaseModel, type BaseModelVariant } from '@facekit/base-model'
import { initEngine, type BackendName } from '@facekit/engine'
import { writePng } from '@facekit/export'
import {
  checkSynthesizerOptions,
  createFaceSynthesizer,
  disposeBatch,
  type SyntheticBatch,
} from '@facekit/synthetic'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    size: { type: 'string', default: '224' },
    batch: { type: 'string', default: '32' },
    batches: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    /** A variant of the base model, or a file of it. */
    model: { type: 'string', default: 'learned' },
    /** JSON of `SynthesizerOptions`. */
    options: { type: 'string', default: '{}' },
    sheet: { type: 'string' },
    /** Only pictures on the sheet. */
    pictures: { type: 'boolean', default: false },
    /** Times of the GPU's kernels. */
    profile: { type: 'boolean', default: false },
  },
})
await initEngine({ backend: values.backend as BackendName })
const { model: name } = values
const model = await loadBaseModel(
  /^[a-z]+$/.test(name) ? { variant: name as BaseModelVariant } : { source: name },
)
const size = Number(values.size)
const batch = Number(values.batch)
const synthesizer = createFaceSynthesizer(model, {
  ...checkSynthesizerOptions('--options', JSON.parse(values.options), model),
  size,
  batch,
  seed: Number(values.seed),
})

/** Colours of the classes, in which they can be told apart. */
const palette = tf.tensor2d(
  Array.from({ length: 19 }, (_, i) =>
    i === 0 ? [0, 0, 0] : [0, 1, 2].map((c) => 0.5 + 0.5 * Math.cos(2.4 * i + 2.1 * c)),
  ),
)

/** Rows of eight: picture, classes, region, bare skin, and landmarks on the picture. */
async function writeContactSheet(pictures: SyntheticBatch, file: string): Promise<void> {
  const { image, labels, faceRegion, innerMouth, skin, normals } = pictures
  const points = await (pictures.denseLandmarks ?? pictures.landmarks).array()
  const visible = await (pictures.denseVisibility ?? pictures.landmarkVisibility).array()
  const dots = Float32Array.from(await image.data())
  points.forEach((face, b) =>
    face.forEach(([x, y], i) => {
      for (const [dx, dy] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ]) {
        const [column, row] = [Math.floor(x - 0.5) + dx, Math.floor(y - 0.5) + dy]
        if (column < 0 || row < 0 || column >= size || row >= size) continue
        dots.set(visible[b][i] > 0.5 ? [0.1, 1, 0.1] : [1, 0.1, 0.1], ((b * size + row) * size + column) * 3)
      }
    }),
  )
  const colors = tf.tidy(() => tf.gather(palette, labels))
  const masks = tf.tidy(() => tf.concat([faceRegion, skin, innerMouth], 3))
  const facing = tf.tidy(() => tf.add(tf.mul(normals, 0.5), 0.5))
  const rows = values.pictures ? [image] : [image, tf.tensor4d(dots, image.shape), colors, masks, facing]
  const columns = Math.min(8, batch)
  const lines: tf.Tensor[] = []
  for (let first = 0; first + columns <= batch; first += columns) {
    for (const row of rows) {
      lines.push(tf.tidy(() => tf.concat(tf.unstack(tf.slice(row, first, columns)), 1)))
    }
  }
  const sheet = tf.concat(lines, 0)
  const data = await sheet.data()
  const bytes = Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))
  await writePng(ndarray(bytes, sheet.shape), file)
}

// On WebGPU the third batch is recorded.
for (let i = 0; i < (values.backend === 'webgpu' ? 5 : 1); i++) {
  const pictures = synthesizer.next()
  await pictures.image.data()
  if (i === 0 && values.sheet !== undefined) await writeContactSheet(pictures, values.sheet)
  disposeBatch(pictures)
}
const count = Number(values.batches)
const start = performance.now()
for (let i = 0; i < count; i++) {
  const pictures = synthesizer.next()
  if (i === count - 1) await pictures.image.data()
  disposeBatch(pictures)
}
if (count > 0) {
  const seconds = (performance.now() - start) / 1000
  console.log(
    `${values.backend}, ${size} px, batch ${batch}: ${((count * batch) / seconds).toFixed(0)} pictures a second, ${((1000 * seconds) / count).toFixed(1)} ms a batch`,
  )
  console.log(`tensors ${tf.memory().numTensors}, ${(tf.memory().numBytes / 1e6).toFixed(0)} MB`)
}
if (values.profile) {
  const kernels = await synthesizer.profile()
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  const runs = kernels.reduce((sum, { count: times }) => sum + times, 0)
  console.log(`${runs} kernels, ${total.toFixed(2)} ms`)
  for (const { name, count: times, milliseconds } of kernels.slice(0, 40)) {
    console.log(`${name.padEnd(56)} ${String(times).padStart(4)} ${milliseconds.toFixed(3).padStart(8)}`)
  }
}
