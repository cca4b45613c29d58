// Faces of photographs by a network, by a network and a short fit, and by the fit alone: landmark error (NME), colour error and time.
//   node --conditions=@facekit/source --import tsx benchmarks/regress-photos.ts [--people 20] [--refine 40] [--regressor file] [--panels folder] [photo...]
// Without photographs: one of each of so many people that the shipped weights have never seen (../shared/data/photos/youtube-faces).
import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { annotate, loadEmbedder, readPicture, type FaceAnnotation } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { createRandom } from '@facekit/core'
import { type FaceParameters, disposeParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { fitFace, type FitResult } from '@facekit/fit'
import { foldRegressor, loadRegressor } from '@facekit/regressor'
import { loadPretrainedRegressor } from '@facekit/regressor-weights'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import { encode } from 'fast-png'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    people: { type: 'string', default: '20' },
    refine: { type: 'string', default: '40' },
    backend: { type: 'string', default: 'wasm' },
    regressor: { type: 'string' },
    panels: { type: 'string' },
  },
})

/** One photograph of each of the people that were held out when the shipped weights were trained. */
async function heldOutPhotographs(): Promise<string[]> {
  const folder = fileURLToPath(new URL('../../shared/data/photos/youtube-faces', import.meta.url))
  if (!existsSync(folder)) throw new Error(`there are no photographs in ${folder}; name some`)
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  const heldOut = createRandom(7).shuffle(names).slice(0, 48)
  const first = async (name: string) => join(folder, name, (await readdir(join(folder, name))).sort()[0])
  return Promise.all(heldOut.slice(0, Number(options.people)).map(first))
}

await initEngine({ backend: options.backend as 'wasm' })
const model = await loadBaseModel({ variant: 'learned' })
const regressor = options.regressor
  ? foldRegressor(await loadRegressor(options.regressor, { for: model }))
  : await loadPretrainedRegressor({ for: model })
const { embed } = await loadEmbedder()

interface Row {
  nme: number
  color: number
  seconds: number
}
const rows: Record<'regress' | 'refine' | 'fit', Row[]> = { regress: [], refine: [], fit: [] }

const cropOf = ({ alignment: { image, size } }: FaceAnnotation) =>
  tf.tensor3d(image.data as Float32Array, [size, size, 3])

async function regress(face: FaceAnnotation): Promise<FaceParameters> {
  const crop = cropOf(face)
  const parameters = regressor.predict(crop)
  await parameters.pose.scale.data()
  crop.dispose()
  return parameters
}

/** Picture, then the three faces over it. */
async function drawRow(face: FaceAnnotation, results: readonly FitResult[]): Promise<tf.Tensor3D> {
  return tf.tidy(() => {
    const picture = tf.expandDims(cropOf(face)) as tf.Tensor4D
    const size = picture.shape[1]
    const faces = results.flatMap(({ parameters }) => {
      const { image, mask } = renderFace(model, parameters, { width: size, height: size })
      return [tf.add(image, tf.mul(picture, tf.sub(1, mask))), image]
    })
    return tf.squeeze(tf.concat([picture, ...faces], 2), [0]) as tf.Tensor3D
  })
}

const photographs = positionals.length > 0 ? positionals : await heldOutPhotographs()
const panels: tf.Tensor3D[] = []
for (const photograph of photographs) {
  const picture = await readPicture(photograph)
  const [face] = await annotate(picture, { maxFaces: 1 })
  const name = photograph.split('/').slice(-2).join('/')
  if (!face) {
    console.log(`${name}: no face`)
    continue
  }
  const results: FitResult[] = []
  const measure = async (method: keyof typeof rows, work: () => Promise<FitResult>, skip = 0) => {
    const started = performance.now()
    const result = await work()
    const seconds = (performance.now() - started) / 1000 - skip
    rows[method].push({ nme: result.metrics.landmarkError, color: result.metrics.colorError, seconds })
    results.push(result)
  }
  // The network alone: without the rendering that measures it.
  const started = performance.now()
  const start = await regress(face)
  const predicting = (performance.now() - started) / 1000
  await measure('regress', () => fitFace(picture, face, model, { start, iterations: 0 }))
  rows.regress.at(-1)!.seconds = predicting
  await measure('refine', () =>
    fitFace(picture, face, model, { prior: start, rate: 2, iterations: Number(options.refine), embed }),
  )
  rows.refine.at(-1)!.seconds += predicting
  await measure('fit', () => fitFace(picture, face, model, { embed }))
  const show = Object.entries(rows).map(([method, list]) => {
    const { nme, color, seconds } = list.at(-1)!
    return `${method} ${(100 * nme).toFixed(2)} % ${color.toFixed(3)} ${seconds.toFixed(2)} s`
  })
  console.log(`${name.padEnd(34)} ${show.join('   ')}`)
  if (options.panels) panels.push(await drawRow(face, results))
  disposeParameters(start)
  for (const { parameters } of results) disposeParameters(parameters)
}
for (const [method, list] of Object.entries(rows)) {
  const mean = (of: (row: Row) => number) => list.reduce((sum, row) => sum + of(row), 0) / list.length
  const sorted = list.map(({ seconds }) => seconds).sort((a, b) => a - b)
  const worst = Math.max(...list.map(({ nme }) => nme))
  console.log(
    `${method.padEnd(8)} ${list.length} faces: landmarks ${(100 * mean((r) => r.nme)).toFixed(2)} % (worst ${(100 * worst).toFixed(2)} %), colour ${mean((r) => r.color).toFixed(4)}, ${sorted[sorted.length >> 1].toFixed(3)} s (median)`,
  )
}
if (options.panels) {
  await mkdir(options.panels, { recursive: true })
  for (let first = 0; first < panels.length; first += 8) {
    const sheet = tf.concat(panels.slice(first, first + 8), 0)
    const [height, width] = sheet.shape
    const data = Uint8Array.from(await sheet.data(), (value) =>
      Math.round(255 * Math.min(1, Math.max(0, value))),
    )
    await writeFile(
      join(options.panels, `panels-${first / 8}.png`),
      encode({ width, height, data, channels: 3 }),
    )
    sheet.dispose()
  }
}
process.exit(0)
