// What the face region does to the fit: every face is fitted with the region of the segmenter's network, and with that of the landmarks.
//   node --conditions=@facekit/source --import tsx benchmarks/segmentation-fit.ts [--people 20] [--faces 3, of each photograph] [--iterations 60] [photo...]
// Errors of colours are compared over the pixels that both regions hold: a smaller region is an easier one. Time is that of annotate.
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { annotate, loadEmbedder, readPicture, type FaceAnnotation, type Picture } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { disposeParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { colorError, fitFace, type FitResult } from '@facekit/fit'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    people: { type: 'string', default: '20' },
    iterations: { type: 'string', default: '60' },
    faces: { type: 'string', default: '3' },
  },
})
const ways = ['landmarks', 'network'] as const
type Way = (typeof ways)[number]

/** The photographs of face-api, and one frame of each of some people of YouTube Faces where they are. */
function photographs(): string[] {
  if (positionals.length > 0) return positionals
  const demo = fileURLToPath(new URL('../node_modules/@vladmandic/face-api/demo', import.meta.url))
  const six = [1, 2, 3, 4, 5, 6].map((i) => join(demo, `sample${i}.jpg`))
  const root = fileURLToPath(new URL('../../shared/data/photos/youtube-faces', import.meta.url))
  if (!existsSync(root)) return six
  const names = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const sorted = names.map((entry) => entry.name).sort()
  const people = Number(values.people)
  const chosen = Array.from({ length: people }, (_, i) => sorted[Math.floor((i * sorted.length) / people)])
  return [...six, ...chosen.map((name) => join(root, name, readdirSync(join(root, name)).sort()[0]))]
}

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const embedder = await loadEmbedder()

/** Mean error of the colours over what both regions hold. */
async function commonError(result: FitResult, [a, b]: FaceAnnotation[]): Promise<number> {
  const S = a.alignment.size
  const error = tf.tidy(() => {
    const { image, mask } = renderFace(model, result.parameters, {
      width: S,
      height: S,
      camera: result.camera,
    })
    const plane = ({ faceRegion }: FaceAnnotation) =>
      tf.tensor4d(faceRegion.data as Float32Array, [1, S, S, 1])
    const both = tf.minimum(plane(a), plane(b)) as tf.Tensor4D
    const picture = tf.tensor4d(a.alignment.image.data as Float32Array, [1, S, S, 3])
    return { picture, image, both, mask }
  })
  const arrays = await Promise.all(
    [error.picture, error.image, error.both, error.mask].map(async (tensor) =>
      Float32Array.from(await tensor.data()),
    ),
  )
  tf.dispose(error)
  const [picture, image, both, mask] = arrays
  return colorError(picture, image, both, mask).mean
}

async function fit(picture: Picture, face: FaceAnnotation): Promise<FitResult> {
  const embed = (images: tf.Tensor4D) => embedder.embed(images)
  return fitFace(picture, face, model, { iterations: Number(values.iterations), embed })
}

const rows: Record<Way, { nme: number; color: number; common: number; seconds: number }[]> = {
  landmarks: [],
  network: [],
}
console.log('photograph                   region      share   NME %  colour  colour of both  annotate s')
for (const file of photographs()) {
  const picture = await readPicture(file)
  const labelled: FaceAnnotation[][] = []
  const times: number[] = []
  for (const segmenter of ways) {
    const start = performance.now()
    labelled.push(await annotate(picture, { segmenter, maxFaces: Number(values.faces) }))
    times.push((performance.now() - start) / 1000)
  }
  for (let i = 0; i < labelled[0].length; i++) {
    const pair = labelled.map((faces) => faces[i])
    for (const [k, way] of ways.entries()) {
      const result = await fit(picture, pair[k])
      const common = await commonError(result, pair)
      const { landmarkError: nme, colorError: color } = result.metrics
      const share = pair[k].faceRegion.data.reduce((sum, value) => sum + value, 0) / pair[k].faceRegion.size
      const seconds = times[k] / labelled[k].length
      rows[way].push({ nme, color, common, seconds })
      console.log(
        `${`${basename(file)} ${i + 1}`.padEnd(29)}${way.padEnd(12)}${share.toFixed(3)}${(100 * nme).toFixed(2).padStart(8)}${color.toFixed(4).padStart(8)}${common.toFixed(4).padStart(12)}${seconds.toFixed(2).padStart(12)}`,
      )
      disposeParameters(result.parameters)
    }
  }
}
for (const way of ways) {
  const mean = (of: (row: (typeof rows)[Way][number]) => number) =>
    rows[way].reduce((sum, row) => sum + of(row), 0) / rows[way].length
  console.log(
    `${rows[way].length} faces, ${way}: NME ${(100 * mean((r) => r.nme)).toFixed(3)} %, colour ${mean((r) => r.color).toFixed(4)}, of both ${mean((r) => r.common).toFixed(4)}, annotate ${mean((r) => r.seconds).toFixed(2)} s a face`,
  )
}
