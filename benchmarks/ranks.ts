/** Training on several GPUs: pictures a second of all processes together, and where the time goes. One process a GPU; alone it is what the others are compared with.
 *
 *   mpiexec -n 2 node --conditions=@facekit/source --import tsx benchmarks/ranks.ts [options]
 *
 *   --network 18|50       default 50     --batch N    of each process, default 128     --size N   pixels, default 224
 *   --iterations N        default 60, of which the first third is warm-up
 *   --precision float32   default mixed
 *   --emulated            WGSL in place of matrix units, to try the script on any adapter
 *   --share-gpu           several processes may have one GPU
 *   --json                the results as a line of JSON
 */
import { parseArgs } from 'node:util'
import { batchNormalization, initEngine, readLossScale, type Precision } from '@facekit/engine'
import { openMpi, runTraining, takeGpu } from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import { memory } from './benchmark.js'
import { createImages, createResNet, forward, type Depth, type Normalize } from './resnet.js'

const { values: options } = parseArgs({
  options: {
    network: { type: 'string', default: '50' },
    batch: { type: 'string', default: '128' },
    size: { type: 'string', default: '224' },
    iterations: { type: 'string', default: '60' },
    precision: { type: 'string', default: 'mixed' },
    emulated: { type: 'boolean', default: false },
    'share-gpu': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const [depth, batch, size, iterations] = [
  options.network,
  options.batch,
  options.size,
  options.iterations,
].map(Number)

const gpu = await takeGpu({ share: options['share-gpu'] })
const reducer = await openMpi({ settings: JSON.stringify(options) })
const [rank, processes] = [reducer?.rank ?? 0, reducer?.size ?? 1]
const info = await initEngine({ backend: 'webgpu', precision: options.precision as Precision })
if (options.emulated) Object.assign(tf.backend(), { matrixUnits: 'emulated', mixed: true })
else if (info.precision !== options.precision) {
  console.error(`process ${rank}: ${info.precisionReason}`)
  process.exit(1)
}
if (gpu) console.log(`process ${rank}: ${info.reason}, ${gpu.device}, bus ${gpu.bus}`)
const normalize: Normalize = (x, scale, offset, settings) =>
  batchNormalization(x, scale, offset, settings).output
const net = createResNet(depth as Depth)
const images = createImages(batch, size, 3 + rank)
const target = tf.randomNormal([batch, net.bias.shape[0]], 0, 1, 'float32', 5 + rank) as tf.Tensor2D
const variables = Object.fromEntries(net.variables.map((variable, i) => [`variable${i}`, variable]))

const warm = Math.floor(iterations / 3)
let [begin, drawn] = [0, 0]
const result = await runTraining<[tf.Tensor4D, tf.Tensor2D]>({
  model: { variables },
  loss: (_, x, y) => ({ total: tf.losses.meanSquaredError(y, forward(net, x, normalize)) as tf.Scalar }),
  batches: {
    // What is measured is not where pictures come from.
    next: async () => {
      if (drawn++ === warm) {
        // The GPU has come as far.
        await tf.tidy(() => tf.sum(net.weights)).data()
        begin = performance.now()
      }
      return [images.clone(), target.clone()]
    },
    state: () => null,
    restore: () => {},
  },
  iterations,
  learningRate: 1e-4,
  ...(reducer && { reducer }),
})
const checksum = Array.from(await tf.sum(tf.abs(net.weights)).data())[0]
const milliseconds = (performance.now() - begin) / (iterations - warm)
const { exchange, loss } = result
const lossScale = await readLossScale()
if (options.json || rank === 0) {
  const all = (1000 * batch * processes) / milliseconds
  if (options.json)
    console.log(
      JSON.stringify({
        rank,
        processes,
        batch,
        milliseconds,
        pictures: all,
        loss,
        checksum,
        exchange,
        lossScale,
        memory: memory(),
      }),
    )
  else {
    console.log(
      `${processes} processes, ResNet-${depth}, ${batch} pictures of ${size} x ${size} each, ${options.precision}: ${milliseconds.toFixed(1)} ms, ${all.toFixed(0)} pictures a second`,
    )
    if (exchange)
      console.log(
        Object.entries(exchange)
          .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`)
          .join(', '),
      )
  }
}
reducer?.close()
process.exit(0)
