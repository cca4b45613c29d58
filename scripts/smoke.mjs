// A smoke test of the built packages in the Node that runs it: imports each, renders a face, takes a gradient, encodes a PNG.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../packages', import.meta.url))
const check = (holds, what) => {
  if (!holds) throw new Error(`Node ${process.version}: ${what}`)
}

let imported = 0
for (const name of await readdir(folder)) {
  const manifest = JSON.parse(await readFile(join(folder, name, 'package.json'), 'utf8').catch(() => 'null'))
  if (!manifest || manifest.private) continue
  const module = await import(manifest.name)
  check(name === 'cli' || Object.keys(module).length > 0, `${manifest.name} exports nothing`)
  imported++
}

const { default: ndarray } = await import('ndarray')
const tf = await import('@tensorflow/tfjs-core')
const { loadBaseModel } = await import('@facekit/base-model')
const { initEngine } = await import('@facekit/engine')
const { encodePng } = await import('@facekit/export')
const { neutralParameters } = await import('@facekit/parameters')
const { renderFace } = await import('@facekit/render')

await initEngine({ backend: 'wasm' })
const model = await loadBaseModel()
const face = neutralParameters(model.layout)
const size = 64
const render = (identity) => renderFace(model, { ...face, identity }, { width: size, height: size }).image

const image = render(face.identity)
const values = await image.data()
check(
  values.every((value) => value >= 0 && value <= 1),
  'the image leaves 0..1',
)
check(
  values.some((value) => value > 0.1),
  'the image is black',
)
const gradient = await tf
  .grad((identity) => tf.mean(render(identity)))(face.identity)
  .data()
check(
  gradient.every(Number.isFinite) && gradient.some((value) => value !== 0),
  'the gradient is not finite, or zero',
)
const png = encodePng(ndarray(values, [size, size, 3]))
check(png[0] === 0x89 && png[1] === 0x50, 'no PNG was written')
console.log(`Node ${process.version}: ${imported} packages imported, a face rendered, its gradient taken`)
process.exit(0)
