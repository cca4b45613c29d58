/** How long one rendering of the base model takes, forward and with the gradient of every parameter, and where the time goes.
 *
 *   node --single-threaded --conditions=@facekit/source --import tsx benchmarks/render-face.ts [wasm|cpu] [size] [--profile]
 */
import { loadBaseModel } from '@facekit/base-model'
import { neutralParameters, packParameters, unpackParameters } from '@facekit/parameters'
import { initEngine } from '@facekit/engine'
import { sampleCoefficients } from '@facekit/morphable'
import { renderFace, type RenderFaceOptions } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'

const words = process.argv.slice(2)
const profile = words.includes('--profile')
const [backend = 'wasm', size = '224'] = words.filter((word) => !word.startsWith('--'))
await initEngine({ backend: backend as 'wasm' })
const model = await loadBaseModel()
const { expressionRange } = model.shape
const parameters = {
  ...neutralParameters(model.layout),
  ...sampleCoefficients(model.layout, { seed: 1, deviation: 0.7, expressionRange }),
}
const vector = packParameters(parameters)

/** A stand-in for a loss that reads all pictures and the landmarks. */
function loss(packed: tf.Tensor2D, options: RenderFaceOptions): tf.Scalar {
  const { image, diffuse, innerMouth, landmarks } = renderFace(
    model,
    unpackParameters(packed, model.layout),
    options,
  )
  const terms = [image, diffuse, innerMouth, tf.mul(landmarks, 1e-3)].map((t) => tf.mean(tf.square(t)))
  return tf.addN(terms) as tf.Scalar
}

/** Processor time of a repetition, garbage collection and all, of the best of some rounds: other programs disturb a clock on the wall. */
function milliseconds(f: () => void): number {
  for (let i = 0; i < 15; i++) f()
  const rounds = Array.from({ length: 12 }, () => {
    const start = process.cpuUsage()
    for (let i = 0; i < 6; i++) f()
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 6000
  })
  return Math.min(...rounds)
}

const pixels = Number(size)
const { vertexCount, triangles } = model
console.log(
  `${backend}, ${vertexCount} vertices, ${triangles.length / 3} triangles, ${pixels} x ${pixels}; ms of processor time`,
)
const cases: [string, Partial<RenderFaceOptions>][] = [
  ['as the fit does', { contour: 'visible' }],
  ['without antialias', { antialias: false }],
  ['light at each pixel', { shading: 'pixel' }],
]
for (const [name, changes] of cases) {
  const options: RenderFaceOptions = { width: pixels, height: pixels, ...changes }
  const gradient = tf.valueAndGrad((x: tf.Tensor) => loss(x as tf.Tensor2D, options))
  const forward = milliseconds(() => tf.tidy(() => void loss(vector, options).dataSync()))
  const both = milliseconds(() => tf.tidy(() => void gradient(vector).grad.dataSync()))
  console.log(
    `${name.padEnd(24)} forward ${forward.toFixed(1).padStart(7)}   forward + backward ${both.toFixed(1).padStart(7)}`,
  )
}

if (profile) await printProfile()

/** Shortest time in each kernel of a forward and backward pass. */
async function printProfile(): Promise<void> {
  const totals = new Map<string, { count: number; time: number; shortest: number }>()
  const { backendName } = tf.engine()
  let depth = 0
  for (const kernel of tf.getKernelsForBackend(backendName)) {
    const { kernelFunc } = kernel
    tf.unregisterKernel(kernel.kernelName, backendName)
    tf.registerKernel({
      ...kernel,
      kernelFunc: (call) => {
        const start = performance.now()
        depth++
        const result = kernelFunc(call)
        depth--
        if (depth === 0) {
          const entry = totals.get(kernel.kernelName) ?? { count: 0, time: 0, shortest: Infinity }
          entry.count++
          entry.time += performance.now() - start
          totals.set(kernel.kernelName, entry)
        }
        return result
      },
    })
  }
  const gradient = tf.valueAndGrad((x: tf.Tensor) =>
    loss(x as tf.Tensor2D, { width: pixels, height: pixels, contour: 'visible' }),
  )
  const runs = 40
  let total = Infinity
  for (let i = 0; i < runs; i++) {
    for (const entry of totals.values()) entry.count = entry.time = 0
    const start = performance.now()
    tf.tidy(() => void gradient(vector).grad.dataSync())
    total = Math.min(total, performance.now() - start)
    for (const entry of totals.values()) entry.shortest = Math.min(entry.shortest, entry.time)
  }
  console.log(`\n${'kernel'.padEnd(44)} calls     ms`)
  const rows = [...totals].sort(([, a], [, b]) => b.shortest - a.shortest)
  for (const [name, { count, shortest }] of rows.slice(0, 30)) {
    console.log(`${name.padEnd(44)} ${String(count).padStart(5)} ${shortest.toFixed(2).padStart(6)}`)
  }
  const inside = rows.reduce((sum, [, { shortest }]) => sum + shortest, 0)
  console.log(`in kernels ${inside.toFixed(1)} of ${total.toFixed(1)} ms`)
}
