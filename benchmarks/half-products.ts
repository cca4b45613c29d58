/** Products of halves on the GPU's matrix units through WebGPU: each way to cut them into tiles, and each type of workgroup memory; beside float32.
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
import type { GpuDispatch, GpuEngineBackend } from '../packages/engine/src/webgpu/backend/engine-backend.js'
import { unitTuning } from '../packages/engine/src/webgpu/matmul/unit-plan.js'
import { unitMemory, type UnitTile } from '../packages/engine/src/webgpu/matmul/unit-product.js'
import { printTable } from './benchmark.js'

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

/** Milliseconds of a product on the GPU: the fastest of many, issued some at a time. */
async function fastest(run: () => tf.Tensor): Promise<number> {
  const dispatches: GpuDispatch[] = []
  const pages = gpu.createPages()
  gpu.flush()
  gpu.recorder = {
    pages,
    use: () => {},
    add: (command) => void ('pipeline' in command && dispatches.push(command)),
  }
  const result = run()
  pages.write()
  gpu.flush()
  gpu.recorder = undefined
  const { device } = gpu
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 })
  const resolved = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  })
  const readable = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ })
  let best = Infinity
  const end = performance.now() + 1000 * Number(options.seconds)
  for (
    let count = 1;
    performance.now() < end || best === Infinity;
    count = Math.ceil(Math.min(100, 8 / best))
  ) {
    const encoder = device.createCommandEncoder()
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 }
    const pass = encoder.beginComputePass({ timestampWrites })
    for (let i = 0; i < count; i++) {
      for (const { pipeline, bindGroup, workgroups } of dispatches) {
        pass.setPipeline(pipeline)
        pass.setBindGroup(0, bindGroup)
        pass.dispatchWorkgroups(...workgroups)
      }
    }
    pass.end()
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0)
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, 16)
    device.queue.submit([encoder.finish()])
    await readable.mapAsync(GPUMapMode.READ)
    const [begin, finish] = new BigInt64Array(readable.getMappedRange())
    best = Math.min(best, Number(finish - begin) / 1e6 / count)
    readable.unmap()
  }
  for (const buffer of [resolved, readable]) buffer.destroy()
  querySet.destroy()
  pages.destroy()
  result.dispose()
  return best
}

const tile = (
  rows: number,
  columns: number,
  depth: number,
  down: number,
  across: number,
  copies: 1 | 2,
): UnitTile => ({
  rows,
  columns,
  depth,
  down,
  across,
  copies,
})
const TILES = [
  tile(256, 128, 32, 4, 2, 1),
  tile(128, 256, 32, 2, 4, 1),
  tile(128, 256, 16, 2, 4, 2),
  tile(128, 128, 32, 2, 4, 1),
  tile(128, 128, 64, 2, 2, 1),
  tile(128, 128, 32, 2, 2, 1),
  tile(128, 128, 32, 2, 2, 2),
  tile(128, 64, 64, 2, 2, 1),
  tile(64, 64, 64, 2, 2, 1),
]

const rate = (milliseconds: number) => (2 * size ** 3) / milliseconds / 1e9
const reference = tf.matMul(floats[0], floats[1])
const milliseconds = await fastest(() => tf.matMul(floats[0], floats[1]))
const rows: Record<string, string | number>[] = [
  { tile: 'float32', ms: milliseconds, 'TFLOP/s': rate(milliseconds) },
]
const run = () => tf.matMul(halves[0], halves[1])
for (const [kinds, tiles] of [
  [['words', 'halves', 'quads', 'view'], TILES.slice(0, 1)],
  [['words'], TILES.slice(1)],
] as const) {
  for (const kind of kinds) {
    unitMemory.kind = kind
    for (const tile of tiles) {
      unitTuning.plan = () => ({ tile, parts: 1 })
      const product = run()
      const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(product, reference))))
      const error = (await difference.data())[0]
      tf.dispose([product, difference])
      const milliseconds = await fastest(run)
      rows.push({
        tile: Object.values(tile).join(' '),
        memory: kind,
        ms: milliseconds,
        'TFLOP/s': rate(milliseconds),
        error,
      })
    }
  }
}
console.log(`${size} x ${size}: rows, columns, depth, subgroups down and across, copies`)
printTable(rows)
process.exit(0)
