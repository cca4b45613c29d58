/** How long a training step of the paper's set-up takes, and where the time goes: ResNet-50, 32 pictures of 224 x 224, a face model of Basel's size
 * (28,588 vertices, 199 + 100 + 145 modes), the whole hybrid loss with the identity network, Adam.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/paper-step.ts [--backend webgpu|wasm|cpu] [--backbone resnet50|resnet18|mobile]
 *     [--batch 32] [--seconds 5] [--weights folder of @facekit/annotate's weights] [--no-profile]
 *     [--precision mixed] [--steps 3, the first ones of the parts]
 *
 * SMALL=1: a small mesh, small pictures, two of them, to try the script itself.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { loadEmbedder, setWeightsLocation } from '@facekit/annotate'
import { createRandom } from '@facekit/core'
import { disposeParameters, packParameters, unpackParameters } from '@facekit/parameters'
import { compileAhead, type GpuBackend } from '@facekit/kernels'
import { initEngine, recordStep, type BackendName, type Precision } from '@facekit/engine'
import { hybridLoss, paperLossTerms, type LossContext, type LossTerm } from '@facekit/losses'
import type { MorphableModel } from '@facekit/morphable'
import { createRegressor, type BackboneName } from '@facekit/regressor'
import { renderFace } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'
import { memory, printTable, summarize, time } from './benchmark.js'

const small = process.env.SMALL === '1'
const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'webgpu' },
    backbone: { type: 'string', default: small ? 'mobile' : 'resnet50' },
    batch: { type: 'string', default: small ? '2' : '32' },
    seconds: { type: 'string', default: small ? '0.1' : '5' },
    weights: { type: 'string' },
    precision: { type: 'string', default: 'float32' },
    'no-profile': { type: 'boolean', default: false },
    steps: { type: 'string' },
  },
})
const batch = Number(options.batch)
const size = small ? 64 : 224
const layout = small
  ? { identity: 9, expression: 5, albedo: 7 }
  : { identity: 199, expression: 100, albedo: 145 }
/** After the paper's 50,000 iterations, so that every term counts. */
const ITERATION = 60_000

/** A sphere's front with as many vertices as the Basel Face Model of the paper, random modes and a mouth. */
function sphereFace(vertexCount: number): MorphableModel {
  const side = Math.floor(Math.sqrt(vertexCount))
  const random = createRandom(1)
  const mean = new Float32Array(vertexCount * 3)
  const skin: number[] = []
  const mouth: number[] = []
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    const [i, j] = [vertex % side, Math.floor(vertex / side)]
    const [u, v] = [i, j].map((k) => -1.2 + (2.4 * k) / (side - 1))
    const point = [Math.sin(u) * Math.cos(v), Math.sin(v), Math.cos(u) * Math.cos(v) - 0.5]
    mean.set(
      point.map((x) => 72 * x),
      vertex * 3,
    )
    if (i + 1 === side || vertex + side + 1 >= vertexCount) continue
    const open = Math.abs(i / side - 0.5) < 0.1 && Math.abs(j / side - 0.3) < 0.02
    ;(open ? mouth : skin).push(vertex, vertex + 1, vertex + side)
    ;(open ? mouth : skin).push(vertex + 1, vertex + 1 + side, vertex + side)
  }
  const modes = (count: number, amplitude: number) =>
    ndarray(
      Float32Array.from({ length: count * vertexCount * 3 }, () => random.uniform(-amplitude, amplitude)),
      [count, vertexCount, 3],
    )
  const colour = (value: number) => ndarray(new Float32Array(vertexCount * 3).fill(value), [vertexCount, 3])
  return {
    name: `sphere-${vertexCount}`,
    license: 'Apache-2.0',
    origin: 'procedural',
    vertexCount,
    triangles: Int32Array.from(skin),
    landmarks: Int32Array.from({ length: 68 }, (_, i) => Math.floor(((i + 0.5) * vertexCount) / 68)),
    innerMouthTriangles: Int32Array.from(mouth),
    shape: {
      mean: ndarray(mean, [vertexCount, 3]),
      identity: modes(layout.identity, 0.02),
      expression: modes(layout.expression, 0.02),
    },
    albedo: {
      diffuseMean: colour(0.4),
      diffuse: modes(layout.albedo, 0.01),
      specularMean: colour(0.1),
      specular: modes(layout.albedo, 0.002),
    },
    layout,
  }
}

if (options.weights) setWeightsLocation(pathToFileURL(`${resolve(options.weights)}/`))
const { backend, reason, precision } = await initEngine({
  backend: options.backend as BackendName,
  precision: options.precision as Precision,
})
console.log(`${backend}: ${reason}, ${precision}`)
const model = sphereFace(small ? 31 * 31 : 28_588)
const regressor = createRegressor({
  backbone: options.backbone as BackboneName,
  layout,
  inputSize: size,
  faceModel: model.name,
})
const embedder = await loadEmbedder()
const view = { width: size, height: size }

// Labels: of rendered faces, with some noise.
const { parameters, labels } = tf.tidy(() => {
  const picture = tf.randomUniform([batch, size, size, 3], 0, 1, 'float32', 3) as tf.Tensor4D
  const parameters = regressor.apply(picture, { training: true })
  const { image, mask, innerMouth, landmarks } = renderFace(model, parameters, view)
  const noisy = tf.clipByValue(tf.add(image, tf.mul(picture, 0.2)), 0, 1) as tf.Tensor4D
  const moved = tf.add(landmarks, tf.randomNormal(landmarks.shape, 0, 2, 'float32', 4)) as tf.Tensor3D
  return {
    parameters: packParameters(parameters),
    labels: {
      inputImage: noisy,
      faceRegion: mask,
      skinProbability: tf.mul(mask, 0.9) as tf.Tensor4D,
      innerMouth: tf.clipByValue(tf.add(innerMouth, 0.1), 0, 1) as tf.Tensor4D,
      landmarks: moved,
      inputEmbedding: embedder.embed(noisy),
    },
  }
})

const whole = paperLossTerms()
const without = (name: string) => whole.filter((term) => term.name !== name)
const optimizer = tf.train.adam(5e-5)
const { variables } = regressor

const lossOf = (terms: readonly LossTerm[], found: ReturnType<typeof regressor.apply>) => {
  const rendering = renderFace(model, found, { ...view, contour: 'visible' })
  const context: LossContext = { ...labels, rendering, parameters: found, embed: (x) => embedder.embed(x) }
  return hybridLoss(terms, context, ITERATION).total
}
const train = (terms: readonly LossTerm[]) => () =>
  optimizer.minimize(
    () => lossOf(terms, regressor.apply(labels.inputImage, { training: true })),
    true,
    variables,
  )!
const gradientOf = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) => () => {
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => tf.sum(f(x)))(x)
  return tf.add(value, tf.mul(tf.sum(grad), 0)) as tf.Scalar
}
const outputs = () => regressor.outputs(labels.inputImage, { training: true })
const steps: Record<string, () => tf.Scalar> = {
  'whole step': train(whole),
  'whole step without the identity term': train(without('identity')),
  'network alone: forward, backward, Adam': () =>
    optimizer.minimize(() => tf.mean(tf.square(outputs())), true, variables)!,
  'network alone: forward': () => tf.sum(outputs()),
  'face alone: render and all losses, forward and backward': gradientOf(
    (x) => lossOf(whole, unpackParameters(x as tf.Tensor2D, layout)),
    parameters,
  ),
  'face alone, without the identity term': gradientOf(
    (x) => lossOf(without('identity'), unpackParameters(x as tf.Tensor2D, layout)),
    parameters,
  ),
  'identity network alone, forward and backward': gradientOf(
    (x) => embedder.embed(x as tf.Tensor4D),
    labels.inputImage,
  ),
}

const rows: Record<string, string | number>[] = []
for (const [name, run] of Object.entries(steps).slice(0, Number(options.steps ?? Infinity))) {
  if (backend === 'webgpu') {
    const start = performance.now()
    const count = await compileAhead((tf.backend() as GpuBackend).device, () => run().dispose())
    console.log(`${count} programs compiled ahead in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }
  const step = recordStep(run)
  // Compiles, records, and wakes a GPU that has clocked down.
  const first = await time(step)
  for (let i = 0; i < (first > 20_000 ? 0 : 3); i++) await time(step)
  const start = performance.now()
  const spent = () => (performance.now() - start) / 1000
  const before = memory()
  const times: number[] = []
  const several = backend === 'webgpu' && !small ? 10 : 1
  do times.push(await time(step, several))
  while (spent() < Number(options.seconds) || (times.length < 3 && spent() < 60))
  const after = memory()
  const { fastest, median, runs } = summarize(times)
  rows.push({
    part: name,
    'median ms': median,
    'fastest ms': fastest,
    runs,
    'first s': first / 1000,
    'leaked tensors': after.tensors - before.tensors,
    'MB live': after.megabytes,
    ...(after.allocated && { 'MB allocated': after.allocated }),
  })
  console.log(`${name}: ${median.toFixed(1)} ms`)
  if (name === 'whole step' && !options['no-profile']) {
    const profile = await step.profile()
    const total = profile.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
    for (const { name, count, milliseconds } of profile.slice(0, 30))
      console.log(
        `  ${name.padEnd(44)} ${String(count).padStart(5)} ${milliseconds.toFixed(2).padStart(8)} ms`,
      )
    if (profile.length > 0) console.log(`  all ${profile.length} kernels: ${total.toFixed(1)} ms`)
  }
  step.dispose()
}
console.log(
  `${options.backbone}, batch ${batch}, ${size} x ${size}, ${model.vertexCount} vertices, ${JSON.stringify(layout)}`,
)
printTable(rows)
optimizer.dispose()
disposeParameters(unpackParameters(parameters, layout))
embedder.dispose()
process.exit(0)
