/** Every convolution of ResNet-50 (batch 32, 224 x 224) and its gradients in halves on matrix units: what the plan takes, beside the best of many tiles and splits.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/half-convolutions.ts [options]
 *
 *   --seconds N     for each measurement, default 0.01
 *   --limit N       stop after so many seconds, default 600
 *   --planned       time the plans alone
 *   --small         tiny sizes, emulated units
 *   --json FILE     all measurements
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { initEngine } from '@facekit/engine'
import { compileAhead, convertGpuTensor } from '@facekit/kernels'
import * as tf from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../packages/engine/src/webgpu/backend/engine-backend.js'
import type { GpuProductShape } from '../packages/engine/src/webgpu/matmul/plan.js'
import {
  bestPlan,
  candidate,
  CANDIDATES,
  fitsUnits,
  unitTuning,
  type UnitPlan,
} from '../packages/engine/src/webgpu/matmul/unit-plan.js'
import { printTable } from './benchmark.js'
import { recordWork } from './gpu-time.js'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '0.01' },
    limit: { type: 'string', default: '600' },
    planned: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const [seconds, limit] = [options.seconds, options.limit].map(Number)

/** Size of the input, channels in, channels out, filter, stride, how often. */
type Layer = [number, number, number, number, number, number]
const LAYERS: Layer[] = options.small
  ? [
      [7, 16, 16, 3, 1, 2],
      [8, 16, 32, 1, 2, 1],
    ]
  : [
      [224, 3, 64, 7, 2, 1],
      [56, 64, 64, 1, 1, 1],
      [56, 64, 64, 3, 1, 3],
      [56, 64, 256, 1, 1, 4],
      [56, 256, 64, 1, 1, 2],
      [56, 256, 128, 1, 1, 1],
      [56, 128, 128, 3, 2, 1],
      [28, 128, 512, 1, 1, 4],
      [56, 256, 512, 1, 2, 1],
      [28, 512, 128, 1, 1, 3],
      [28, 128, 128, 3, 1, 3],
      [28, 512, 256, 1, 1, 1],
      [28, 256, 256, 3, 2, 1],
      [14, 256, 1024, 1, 1, 6],
      [28, 512, 1024, 1, 2, 1],
      [14, 1024, 256, 1, 1, 5],
      [14, 256, 256, 3, 1, 5],
      [14, 1024, 512, 1, 1, 1],
      [14, 512, 512, 3, 2, 1],
      [7, 512, 2048, 1, 1, 3],
      [14, 1024, 2048, 1, 2, 1],
      [7, 2048, 512, 1, 1, 2],
      [7, 512, 512, 3, 1, 2],
    ]
const BATCH = options.small ? 2 : 32
const TILES = options.small
  ? [true, false].map((ahead) => candidate([32, 32, 16, 2, 1], ahead, 1, 1))
  : [
      candidate([256, 128, 32, 4, 2], true, 260, 1),
      candidate([256, 128, 32, 4, 2], false, 260, 1),
      candidate([128, 128, 32, 2, 2], false, 285, 2),
      candidate([128, 128, 32, 2, 4], true, 184, 1),
      candidate([128, 64, 64, 2, 2], true, 161, 2),
      candidate([128, 64, 32, 2, 2], false, 180, 2),
      candidate([64, 64, 64, 2, 2], true, 140, 2),
    ]
const info = await initEngine({ backend: 'webgpu', precision: 'mixed' })
console.log(`${info.reason}; ${info.precision}: ${info.precisionReason}`)
const gpu = tf.backend() as tf.KernelBackend as GpuEngineBackend
if (options.small) Object.assign(gpu, { matrixUnits: 'emulated', mixed: true })
else if (info.precision !== 'mixed') process.exit(1)
const { device } = gpu
const begin = performance.now()
const spent = () => (performance.now() - begin) / 1000

const halved = (x: tf.Tensor) => {
  const { dataId } = convertGpuTensor(gpu, x, 'float16')
  return tf.engine().makeTensorFromDataId(dataId, x.shape, 'float32')
}
/** Random, the same for every picture. */
const batchOf = (height: number, channels: number) =>
  tf.tidy(() => {
    const one = tf.randomNormal([1, height, height, channels], 0, 1, 'float32', 3)
    const all = tf.tile(one, [BATCH, 1, 1, 1])
    return channels % 8 === 0 ? halved(all) : all
  })

/** A layer's three products, on tensors of their own. */
function problems([size, ci, co, k, stride, often]: Layer) {
  const filterShape = [k, k, ci, co] as [number, number, number, number]
  const x = batchOf(size, ci)
  const dy = batchOf(Math.ceil(size / stride), co)
  const filter = tf.tidy(() => {
    const values = tf.randomNormal(filterShape, 0, 0.1, 'float32', 4)
    return ci % 8 === 0 ? halved(values) : values
  })
  const attributes = { strides: [stride, stride], pad: 'same', dataFormat: 'NHWC', dilations: 1 }
  const kernel = (name: string, inputs: tf.NamedTensorMap, more: object) => (): tf.Tensor =>
    tf.engine().runKernel(name, inputs, { ...attributes, ...more })
  const runs = {
    forward: kernel('Conv2D', { x, filter }, {}),
    ...(ci % 8 === 0 && {
      input: kernel('Conv2DBackpropInput', { dy, filter }, { inputShape: x.shape }),
    }),
    filter: kernel('Conv2DBackpropFilter', { x, dy }, { filterShape }),
  }
  const name = `${k}x${k}${stride > 1 ? `/${stride}` : ''} ${size} ${ci}-${co}`
  const floating = 2 * BATCH * Math.ceil(size / stride) ** 2 * k * k * ci * co
  return { runs, name, often, floating, dispose: () => tf.dispose([x, dy, filter]) }
}

/** What there is to try for a shape: the usual plan first. */
function plansFor(shape: GpuProductShape): UnitPlan[] {
  const usual = bestPlan(options.small ? TILES : CANDIDATES, shape, device.limits)
  const plans = [usual]
  for (const one of options.planned ? [] : TILES) {
    if (!fitsUnits(one.tile, shape.layouts, device.limits)) continue
    // Twice as wide as what there is.
    if (one.tile.columns >= 2 * Math.max(64, shape.columns)) continue
    const { parts } = bestPlan([one], shape, device.limits)
    const steps = Math.ceil(shape.inner / one.tile.depth)
    for (const some of new Set(parts === 1 ? [1] : [parts, Math.ceil(parts / 2), parts * 2]))
      if (some === 1 || steps >= 4 * some) plans.push({ tile: one.tile, parts: some })
  }
  return plans
}

/** The shape that a run asks a plan for. */
function shapeOf(run: () => tf.Tensor): GpuProductShape {
  let shape: GpuProductShape | undefined
  unitTuning.plan = (asked) => void (shape = asked)
  run().dispose()
  return shape!
}

const planned = (plan: UnitPlan, run: () => tf.Tensor) => () => {
  unitTuning.plan = () => plan
  return run()
}

const compiled = await compileAhead(device, () => {
  for (const layer of LAYERS) {
    const { runs, dispose } = problems(layer)
    for (const run of Object.values(runs))
      for (const plan of plansFor(shapeOf(run))) planned(plan, run)().dispose()
    dispose()
  }
})
console.log(`${compiled} programs compiled in ${spent().toFixed(1)} s`)

interface Measured {
  name: string
  kind: string
  often: number
  shape: GpuProductShape
  floating: number
  plans: { tile: string; parts: number; ms: number }[]
}
const measured: Measured[] = []
for (const layer of LAYERS) {
  const { runs, name, often, floating, dispose } = problems(layer)
  for (const [kind, run] of Object.entries(runs)) {
    if (spent() > limit) break
    const shape = shapeOf(run)
    const entry: Measured = { name, kind, often, shape, floating, plans: [] }
    for (const plan of plansFor(shape)) {
      const work = recordWork(gpu, planned(plan, run))
      const ms = await work.time(seconds)
      work.dispose()
      entry.plans.push({ tile: Object.values(plan.tile).map(Number).join(' '), parts: plan.parts, ms })
    }
    measured.push(entry)
  }
  dispose()
}
console.log(`measured after ${spent().toFixed(1)} s`)
if (options.json) await writeFile(options.json, JSON.stringify({ adapter: info.reason, measured }))
const rate = (floating: number, ms: number) => floating / ms / 1e9
printTable(
  measured.map(({ name, kind, often, floating, plans }) => {
    const [usual] = plans
    const found = plans.reduce((a, b) => (b.ms < a.ms ? b : a))
    return {
      layer: name,
      kind,
      times: often,
      'plan us': usual.ms * 1000,
      'best us': found.ms * 1000,
      'best TFLOP/s': rate(floating, found.ms),
      plan: `${usual.tile} / ${usual.parts}`,
      best: `${found.tile} / ${found.parts}`,
    }
  }),
)
const total = (of: (entry: Measured) => number) =>
  measured.reduce((sum, entry) => sum + entry.often * of(entry), 0).toFixed(3)
console.log(
  `the network's convolutions, ms: planned ${total(({ plans }) => plans[0].ms)}, best ${total(({ plans }) => Math.min(...plans.map(({ ms }) => ms)))}; ${spent().toFixed(0)} s`,
)
process.exit(0)
