// Where the time of fitting one photograph goes: cold start, annotation, each stage, each term of a step.
//   node --conditions=@facekit/source --import tsx benchmarks/fit-face.ts [photo]
import { fileURLToPath } from 'node:url'
import { annotate, loadEmbedder, readPicture } from '@facekit/annotate'
import { loadBaseModel } from '@facekit/base-model'
import { disposeParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { fitFace, type FitFaceOptions } from '@facekit/fit'

const photograph =
  process.argv[2] ??
  fileURLToPath(new URL('../node_modules/@vladmandic/face-api/demo/sample6.jpg', import.meta.url))
const clock = (name: string) => {
  const started = performance.now()
  return () => console.log(`${name.padEnd(44)} ${Math.round(performance.now() - started)} ms`)
}
async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const done = clock(name)
  const result = await work()
  done()
  return result
}

await timed('engine', () => initEngine({ backend: 'wasm' }))
const model = await timed('base model', loadBaseModel)
const picture = await timed('read the photograph', () => readPicture(photograph))
const [face] = await timed('annotate, with loading its networks', () => annotate(picture, { maxFaces: 1 }))
await timed('annotate again', () => annotate(picture, { maxFaces: 1 }))
const embedder = await timed('embedder', loadEmbedder)
const embed: FitFaceOptions['embed'] = (images) => embedder.embed(images)

const fit = async (options: FitFaceOptions) =>
  disposeParameters((await fitFace(picture, face, model, options)).parameters)
await timed('fit, 0 steps', () => fit({ iterations: 0 }))
await timed('fit, 0 steps, again', () => fit({ iterations: 0 }))
await fit({ iterations: 2, embed })
const steps = 20
for (const [name, options] of [
  ['all terms', { embed }],
  ['without identity', {}],
  ['landmarks only', { weights: { identity: 0, photometric: 0, innerMouth: 0, uniform: 0 } }],
] as [string, FitFaceOptions][]) {
  const started = performance.now()
  await fit({ iterations: steps, ...options })
  console.log(`step, ${name}`.padEnd(44), ((performance.now() - started) / steps).toFixed(1), 'ms')
}
