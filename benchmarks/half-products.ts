/** Products of halves on the GPU's matrix units through WebGPU: each way to cut them into tiles; beside float32.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/half-products.ts [options]
 *
 *   --size N        of the matrices, default 4096
 *   --seconds N     of warm-up and measurement for each, default 0.3: GPUs at rest run at a sixth of their clock
 *   --checks        keep bounds checks
 */
import { parseArgs } from 'node:util'
import { initEngine } from '@facekit/engine'
import { convertGpuTensor } from '@facekit/kernels'
import * as tf from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../packages/engine/src/webgpu/backend/engine-backend.js'
import { candidate, CANDIDATES, unitTuning } from '../packages/engine/src/webgpu/matmul/unit-plan.js'
import { printTable } from './benchmark.js'
import { recordWork } from './gpu-time.js'

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '4096' },
    seconds: { type: 'string', default: '0.3' },
    checks: { type: 'boolean', default: false },
  },
})
const size = Number(options.size)
const dawnFlags = options.checks ? ['disable-dawn-features=disable_robustness'] : []
const { reason, precision, precisionReason } = await initEngine({
  backend: 'webgpu',
  precision: 'mixed',
  dawnFlags,
})
console.log(`${reason}; ${precision}: ${precisionReason}`)
if (precision !== 'mixed') process.exit(1)
const gpu = tf.backend() as tf.KernelBackend as GpuEngineBackend

const a = tf.randomNormal([size, size], 0, 1, 'float32', 7) as tf.Tensor2D
const b = tf.randomNormal([size, size], 0, 1, 'float32', 8) as tf.Tensor2D
const asMemory = (x: tf.Tensor2D, type: 'float16' | 'float32') =>
  tf.engine().makeTensorFromDataId(convertGpuTensor(gpu, x, type).dataId, x.shape, 'float32') as tf.Tensor2D
const halves = [a, b].map((x) => asMemory(x, 'float16'))
// The same numbers, rounded.
const floats = halves.map((x) => asMemory(x, 'float32'))

async function fastest(run: () => tf.Tensor): Promise<number> {
  const work = recordWork(gpu, run)
  const milliseconds = await work.time(Number(options.seconds))
  work.dispose()
  return milliseconds
}

const rate = (milliseconds: number) => (2 * size ** 3) / milliseconds / 1e9
const reference = tf.matMul(floats[0], floats[1])
const milliseconds = await fastest(() => tf.matMul(floats[0], floats[1]))
const rows: Record<string, string | number>[] = [
  { tile: 'float32', ms: milliseconds, 'TFLOP/s': rate(milliseconds) },
]
const run = () => tf.matMul(halves[0], halves[1])
const large = candidate([256, 128, 32, 4, 2], true, 268, 1)
for (const { tile } of [...CANDIDATES, large]) {
  unitTuning.plan = () => ({ tile, parts: 1 })
  const product = run()
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(product, reference))))
  const error = (await difference.data())[0]
  tf.dispose([product, difference])
  const milliseconds = await fastest(run)
  rows.push({
    tile: Object.values(tile).map(Number).join(' '),
    ms: milliseconds,
    'TFLOP/s': rate(milliseconds),
    error,
  })
}
console.log(`${size} x ${size}: rows, columns, depth, subgroups down and across, read ahead`)
printTable(rows)
process.exit(0)
