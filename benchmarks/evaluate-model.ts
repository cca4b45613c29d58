// Shape and albedo of a model of the Basel Face Model's size: 28,588 vertices, 199 + 100 modes of shape, 145 of albedo (diffuse and
// specular), a batch of 8; forward, and backward to the coefficients.
//
//   node --conditions=@facekit/source --import tsx benchmarks/evaluate-model.ts [backend, default wasm] [batch, default 8]
import { createRandom } from '@facekit/core'
import { initEngine, type BackendName } from '@facekit/engine'
import { evaluateAlbedo, evaluateShape, sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const backend = (process.argv[2] ?? 'wasm') as BackendName
const batch = Number(process.argv[3] ?? 8)
const N = 28588
const layout = { identity: 199, expression: 100, albedo: 145 }
const random = createRandom(1)
const noise = (...shape: number[]) => {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
  for (let i = 0; i < data.length; i++) data[i] = random.uniform() - 0.5
  return ndarray(data, shape)
}
const model: MorphableModel = {
  name: 'of Basel size',
  license: 'none',
  origin: 'random numbers',
  vertexCount: N,
  triangles: Int32Array.of(0, 1, 2),
  landmarks: Int32Array.from({ length: 68 }, (_, i) => i),
  innerMouthTriangles: new Int32Array(0),
  shape: { mean: noise(N, 3), identity: noise(199, N, 3), expression: noise(100, N, 3) },
  albedo: {
    diffuseMean: noise(N, 3),
    diffuse: noise(145, N, 3),
    specularMean: noise(N, 3),
    specular: noise(145, N, 3),
  },
  layout,
}
const engine = await initEngine({ backend })
const coefficients = sampleCoefficients(layout, { batch })

/** Runs until two seconds are over; the fastest, and the median. */
async function measure(name: string, modes: number, work: () => tf.Tensor[]): Promise<void> {
  const run = async () => {
    const started = performance.now()
    const results = tf.tidy(work)
    await results[results.length - 1].data()
    const time = performance.now() - started
    tf.dispose(results)
    return time
  }
  for (let i = 0; i < 3; i++) await run()
  const times: number[] = []
  for (const started = performance.now(); performance.now() - started < 2000 || times.length < 10;) {
    times.push(await run())
  }
  times.sort((a, b) => a - b)
  const gflops = (time: number) => ((2 * batch * modes * N * 3) / time / 1e6).toFixed(1)
  const [fastest, median] = [times[0], times[times.length >> 1]]
  console.log(
    `${name.padEnd(34)} fastest ${fastest.toFixed(1)} ms (${gflops(fastest)} GFLOP/s), median ${median.toFixed(1)} ms (${gflops(median)} GFLOP/s)`,
  )
}

console.log(`${engine.backend}, ${N} vertices, batch ${batch}`)
const shape = () => evaluateShape(model, coefficients)
const albedo = () => evaluateAlbedo(model, coefficients.albedo)
await measure('shape', 299, () => [shape()])
await measure('albedo, diffuse and specular', 290, () => Object.values(albedo()))
await measure('both', 589, () => [shape(), ...Object.values(albedo())])
const weights = tf.randomUniform([batch, N, 3], 0, 1, 'float32', 1) as tf.Tensor3D
const sum = (tensor: tf.Tensor) => tf.sum(tf.mul(tensor, weights)) as tf.Scalar
await measure('both, forward and backward', 589 * 2, () =>
  tf.grads((identity: tf.Tensor, expression: tf.Tensor, albedo: tf.Tensor) => {
    const vertices = evaluateShape(model, {
      identity: identity as tf.Tensor2D,
      expression: expression as tf.Tensor2D,
    })
    const { diffuse, specular } = evaluateAlbedo(model, albedo as tf.Tensor2D)
    return tf.add(tf.add(sum(vertices), sum(diffuse)), sum(specular))
  })([coefficients.identity, coefficients.expression, coefficients.albedo]),
)
