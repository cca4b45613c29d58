// Accuracy of the whole job on photographs: landmark error (NME) and colour error of every face.
//   node --conditions=@facekit/source --import tsx benchmarks/reconstruct-photos.ts [--iterations N] [--panels folder] [--model synthetic|file] [--segmenter network|landmarks] [photo...]
// Without photographs: the six of @vladmandic/face-api and, where ../shared/data/photos exists, one of each of 20 people.
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { annotate, loadEmbedder, readPicture, type FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { disposeParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { fitFace, type FitResult } from '@facekit/fit'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    iterations: { type: 'string', default: '60' },
    panels: { type: 'string' },
    model: { type: 'string' },
    segmenter: { type: 'string', default: 'network' },
  },
})

async function defaultPhotographs(): Promise<string[]> {
  const demo = join(root, 'node_modules/@vladmandic/face-api/demo')
  const six = [1, 2, 3, 4, 5, 6].map((i) => join(demo, `sample${i}.jpg`))
  const people = join(root, '../shared/data/photos/youtube-faces')
  if (!existsSync(people)) return six
  const names = (await readdir(people, { withFileTypes: true }))
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
  const chosen = names.sort().filter((_, i) => i % Math.floor(names.length / 20) === 0)
  const first = async (name: string) => join(people, name, (await readdir(join(people, name))).sort()[0])
  return [...six, ...(await Promise.all(chosen.slice(0, 20).map(first)))]
}

/** Input, overlay, diffuse, specular, lit side by side. */
async function panels(annotation: FaceAnnotation, result: FitResult, file: string): Promise<void> {
  const size = annotation.alignment.size
  const strip = tf.tidy(() => {
    const rendering = renderFace(model, result.parameters, {
      width: size,
      height: size,
      camera: result.camera,
    })
    const input = tf.tensor4d(annotation.alignment.image.data as Float32Array, [1, size, size, 3])
    const overlay = tf.add(tf.mul(rendering.image, rendering.mask), tf.mul(input, tf.sub(1, rendering.mask)))
    return tf.squeeze(
      tf.concat([input, overlay, rendering.diffuse, rendering.specular, rendering.image], 2),
      [0],
    )
  })
  const pixels = Uint8Array.from(await strip.data(), (value) =>
    Math.round(255 * Math.min(1, Math.max(0, value))),
  )
  await writeFile(file, encode({ width: strip.shape[1]!, height: size, data: pixels, channels: 3, depth: 8 }))
  strip.dispose()
}

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel(
  options.model === undefined
    ? {}
    : options.model === 'synthetic'
      ? { variant: 'synthetic' }
      : { source: options.model },
)
const embedder = await loadEmbedder()
const photographs = positionals.length > 0 ? positionals : await defaultPhotographs()
if (options.panels) await mkdir(options.panels, { recursive: true })
const rows: { nme: number; color: number; seconds: number }[] = []
console.log('photograph                      face   NME %   colour  annotate s  fit s')
for (const photograph of photographs) {
  const started = performance.now()
  const picture = await readPicture(photograph)
  const faces = await annotate(picture, { segmenter: options.segmenter as 'network' | 'landmarks' })
  const seconds = (performance.now() - started) / 1000
  if (faces.length === 0) console.log(`${basename(photograph)}: no face`)
  for (const [i, face] of faces.entries()) {
    const result = await fitFace(picture, face, model, {
      iterations: Number(options.iterations),
      embed: (images) => embedder.embed(images),
    })
    const { metrics } = result
    const name = photograph.split('/').slice(-2).join('/').slice(-30)
    console.log(
      `${name.padEnd(32)}${String(i + 1).padEnd(6)}${(100 * metrics.landmarkError).toFixed(2).padStart(5)}` +
        `${metrics.colorError.toFixed(3).padStart(10)}${(seconds / faces.length).toFixed(2).padStart(10)}${metrics.seconds.toFixed(2).padStart(9)}`,
    )
    rows.push({ nme: metrics.landmarkError, color: metrics.colorError, seconds: metrics.seconds })
    if (options.panels)
      await panels(face, result, join(options.panels, `${name.replaceAll(/[^\w]+/g, '-')}-${i + 1}.png`))
    disposeParameters(result.parameters)
  }
}
const mean = (of: (row: (typeof rows)[number]) => number) =>
  rows.reduce((sum, row) => sum + of(row), 0) / rows.length
const worst = (of: (row: (typeof rows)[number]) => number) => Math.max(...rows.map(of))
console.log(
  `\n${rows.length} faces: NME mean ${(100 * mean((r) => r.nme)).toFixed(2)} % (worst ${(100 * worst((r) => r.nme)).toFixed(2)} %), ` +
    `colour error mean ${mean((r) => r.color).toFixed(3)} (worst ${worst((r) => r.color).toFixed(3)}), fit ${mean((r) => r.seconds).toFixed(2)} s`,
)
