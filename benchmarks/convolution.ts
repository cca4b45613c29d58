// Every convolution of ResNet-50 (batch 32, 224 x 224): forward, input gradient, filter gradient; time, TFLOP/s and the sum over the
// network, on WebGPU. Checks sampled results against float64.
//   node --conditions=@facekit/source --import tsx benchmarks/convolution.ts [check] [ours] [stock] [variants]
// SMALL=1 for a software adapter: tiny sizes. ONLY=3x3 restricts to layers whose name matches; BATCH=8 sets another batch; LIMIT=30 stops after
// so many seconds; ROBUST=1 keeps Dawn's bounds checks; WINOGRAD=1e9 goes without Winograd's basis.
// Calls are timed one after the other: where tfjs takes longer to issue one than the GPU to run it (0.1 ms and more on a busy machine), that is
// what is measured. Times of the kernels alone: `profile()` of a recorded step, benchmarks/training-step.ts.
import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { assertHealthy, initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type { GpuTile } from '../packages/engine/src/webgpu/matmul/tile.js'
import { tuning, usualPlan, type GpuPlan } from '../packages/engine/src/webgpu/matmul/plan.js'
import { winograd } from '../packages/engine/src/webgpu/conv/winograd.js'
import { stockGpuKernels } from '../packages/engine/src/webgpu/matmul/replace.js'

const small = process.env.SMALL !== undefined
const modes = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['check', 'ours']
const batch = small ? 2 : Number(process.env.BATCH ?? 32)

if (process.env.WINOGRAD) winograd.channels = Number(process.env.WINOGRAD)

/** Size of the input, channels in, channels out, filter, stride, how often. */
type Layer = [number, number, number, number, number, number]
const LAYERS: Layer[] = small
  ? [
      [13, 3, 8, 7, 2, 1],
      [7, 16, 16, 3, 1, 2],
      [8, 16, 32, 1, 2, 1],
      [5, 32, 8, 1, 1, 1],
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
const nameOf = ([size, ci, co, k, s]: Layer) =>
  `${k}x${k}${s > 1 ? `/${s}` : ''} ${size}x${size} ${ci}->${co}`
const layers = LAYERS.filter((layer) => new RegExp(process.env.ONLY ?? '').test(nameOf(layer)))
const deadline = performance.now() + 1000 * Number(process.env.LIMIT ?? 1e6)
const late = () => performance.now() > deadline

const info = await initEngine({
  backend: 'webgpu',
  dawnFlags: process.env.ROBUST ? [] : ['enable-dawn-features=allow_unsafe_apis,disable_robustness'],
})
const backend = tf.backend() as tf.KernelBackend & {
  device: GPUDevice
  flush(): void
  makeTensorInfo(shape: number[], dtype: string): tf.TensorInfo
}
const names = ['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter']
const ownKernels = Object.fromEntries(names.map((name) => [name, tf.getKernel(name, 'webgpu')]))
const stockKernels = Object.fromEntries(names.map((name) => [name, stockGpuKernels.get(name)!]))
console.log(info.reason, 'workgroup memory', backend.device.limits.maxComputeWorkgroupStorageSize)

/** Numbers in [-0.5, 0.5) that the CPU can compute too, one by one. */
function hash(index: number, seed: number): number {
  let h = Math.imul(index + seed, 0x9e3779b1) >>> 0
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) >>> 0
  h = (h ^ (h >>> 13)) >>> 0
  return (h >>> 8) / 16777216 - 0.5
}
function filled(shape: number[], seed: number): tf.Tensor {
  const size = tf.util.sizeFromShape(shape)
  const result = makeGpuTensor(backend, shape, 'float32')
  runGpuProgram(
    backend,
    {
      name: 'benchmark_fill',
      inputs: [],
      outputs: ['result: f32'],
      uniforms: ['size: u32', 'seed: u32'],
      code: /* wgsl */ `
        @compute @workgroup_size(256)
        fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) local: u32) {
          let index = (group.y * groups.x + group.x) * 256u + local;
          if (index >= uniforms.size) { return; }
          var h = (index + uniforms.seed) * 0x9e3779b1u;
          h = (h ^ (h >> 15u)) * 0x85ebca6bu;
          h = h ^ (h >> 13u);
          result[index] = f32(h >> 8u) / 16777216.0 - 0.5;
        }`,
    },
    { inputs: [], outputs: [result], uniforms: [size, seed], workgroups: workgroupsFor(size, 256) },
  )
  return tf.engine().makeTensorFromTensorInfo(result)
}

/** Some of a tensor's numbers; tfjs' own gather is wrong beyond 2^24 numbers. Disposes of the tensor's data. */
async function gather(x: tf.TensorInfo, indices: Int32Array): Promise<Float32Array> {
  const places = tf.tensor1d(indices, 'int32')
  const result = makeGpuTensor(backend, [indices.length], 'float32')
  runGpuProgram(
    backend,
    {
      name: 'benchmark_gather',
      inputs: ['x: f32', 'places: i32'],
      outputs: ['result: f32'],
      uniforms: ['size: u32'],
      code: /* wgsl */ `
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {
          if (id.x < uniforms.size) { result[id.x] = x[places[id.x]]; }
        }`,
    },
    {
      inputs: [x, places],
      outputs: [result],
      uniforms: [indices.length],
      workgroups: workgroupsFor(indices.length, 64),
    },
  )
  const values = (await backend.read(result.dataId)) as Float32Array
  for (const { dataId } of [x, places, result]) backend.disposeData(dataId)
  return values
}

const finished = () => {
  backend.flush()
  return backend.device.queue.onSubmittedWorkDone()
}

/** Milliseconds of one call. */
async function time(run: () => void): Promise<number> {
  const measure = async (count: number) => {
    const start = performance.now()
    for (let i = 0; i < count; i++) run()
    await finished()
    return (performance.now() - start) / count
  }
  // Whatever is compiled or allocated first, and a GPU that was idle meanwhile, and is clocked down.
  await measure(1)
  if (small) return NaN
  heat(20)
  await finished()
  const count = Math.max(2, Math.ceil(8 / (await measure(2))))
  return Math.min(await measure(count), await measure(count))
}

class Compiling extends Error {}

/** Compiles the programs of these calls all at once: one after the other takes a tenth of a second each. */
async function compileAhead(runs: (() => tf.TensorInfo)[]): Promise<void> {
  const { device } = backend
  const compile = device.createComputePipeline.bind(device)
  const pipelines = new Map<string, Promise<GPUComputePipeline> | GPUComputePipeline>()
  const make = backend.makeTensorInfo.bind(backend)
  const made: tf.TensorInfo[] = []
  backend.makeTensorInfo = (...args) => {
    const result = make(...args)
    made.push(result)
    return result
  }
  device.createComputePipeline = (descriptor) => {
    const label = descriptor.label!
    if (!/facekit_(conv|product)/.test(label)) return compile(descriptor)
    const known = pipelines.get(label) ?? device.createComputePipelineAsync(descriptor)
    pipelines.set(label, known)
    // Once it is there, the program is run to its end by whoever is measured.
    throw new Compiling()
  }
  for (const run of runs) {
    try {
      run()
    } catch (error) {
      if (!(error instanceof Compiling)) throw error
    }
    for (const { dataId } of made) backend.disposeData(dataId)
    made.length = 0
  }
  await Promise.all(
    [...pipelines].map(async ([label, pipeline]) => {
      pipelines.set(label, await pipeline)
    }),
  )
  backend.makeTensorInfo = make
  device.createComputePipeline = (descriptor) =>
    (pipelines.get(descriptor.label!) as GPUComputePipeline | undefined) ?? compile(descriptor)
}

const PASSES = ['forward', 'input', 'filter'] as const
type Pass = (typeof PASSES)[number]

interface Case {
  layer: Layer
  flop: number
  run(kernels: Record<string, tf.KernelConfig>, pass: Pass): tf.TensorInfo
  check(pass: Pass, result: tf.TensorInfo): Promise<number>
  dispose(): void
}

function makeCase(layer: Layer): Case {
  const [size, ci, co, k, s] = layer
  const out = Math.ceil(size / s)
  const pad = Math.max(0, (out - 1) * s + k - size) >> 1
  const shapes = { x: [batch, size, size, ci], filter: [k, k, ci, co], dy: [batch, out, out, co] }
  const x = filled(shapes.x, 1)
  const filter = filled(shapes.filter, 2)
  const dy = filled(shapes.dy, 3)
  const attributes = { strides: [s, s], pad: 'same', dataFormat: 'NHWC', dilations: [1, 1] }
  const X = (b: number, h: number, w: number, c: number) => hash(((b * size + h) * size + w) * ci + c, 1)
  const F = (i: number, j: number, c: number, d: number) => hash(((i * k + j) * ci + c) * co + d, 2)
  const G = (b: number, h: number, w: number, d: number) => hash(((b * out + h) * out + w) * co + d, 3)
  const inside = (value: number, end: number) => value >= 0 && value < end
  const reference = (pass: Pass, index: number): number => {
    let sum = 0
    if (pass === 'forward') {
      const [d, w, h, b] = [
        index % co,
        Math.floor(index / co) % out,
        Math.floor(index / co / out) % out,
        Math.floor(index / co / out / out),
      ]
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) {
          const [y, z] = [h * s + i - pad, w * s + j - pad]
          if (inside(y, size) && inside(z, size))
            for (let c = 0; c < ci; c++) sum += X(b, y, z, c) * F(i, j, c, d)
        }
    } else if (pass === 'input') {
      const [c, w, h, b] = [
        index % ci,
        Math.floor(index / ci) % size,
        Math.floor(index / ci / size) % size,
        Math.floor(index / ci / size / size),
      ]
      for (let i = 0; i < k; i++)
        for (let j = 0; j < k; j++) {
          const [y, z] = [(h + pad - i) / s, (w + pad - j) / s]
          if (Number.isInteger(y) && Number.isInteger(z) && inside(y, out) && inside(z, out))
            for (let d = 0; d < co; d++) sum += G(b, y, z, d) * F(i, j, c, d)
        }
    } else {
      const [d, c, j, i] = [
        index % co,
        Math.floor(index / co) % ci,
        Math.floor(index / co / ci) % k,
        Math.floor(index / co / ci / k),
      ]
      for (let b = 0; b < batch; b++)
        for (let h = 0; h < out; h++)
          for (let w = 0; w < out; w++) {
            const [y, z] = [h * s + i - pad, w * s + j - pad]
            if (inside(y, size) && inside(z, size)) sum += X(b, y, z, c) * G(b, h, w, d)
          }
    }
    return sum
  }
  return {
    layer,
    flop: 2 * batch * out * out * co * ci * k * k,
    run: (kernels, pass) => {
      const [name, inputs, extra] =
        pass === 'forward'
          ? ['Conv2D', { x, filter }, {}]
          : pass === 'input'
            ? ['Conv2DBackpropInput', { dy, filter }, { inputShape: shapes.x }]
            : ['Conv2DBackpropFilter', { x, dy }, { filterShape: shapes.filter }]
      return kernels[name as string].kernelFunc({
        inputs: inputs as unknown as tf.NamedTensorInfoMap,
        attrs: { ...attributes, ...(extra as object) } as unknown as tf.NamedAttrMap,
        backend,
      }) as tf.TensorInfo
    },
    check: async (pass, result) => {
      // Not all of it comes back: strided rows, by a gather.
      const total = tf.util.sizeFromShape(result.shape)
      const count = Math.min(total, pass === 'filter' ? 8 : 40)
      const indices = Int32Array.from({ length: count }, (_, i) => Math.floor((hash(i, 77) + 0.5) * total))
      // The corners too.
      indices[0] = 0
      indices[count - 1] = total - 1
      const values = await gather(result, indices)
      let worst = 0
      for (const [i, index] of indices.entries()) {
        const exact = reference(pass, index)
        const error = Math.abs(values[i] - exact) / (1 + Math.abs(exact))
        worst = error <= worst ? worst : error
      }
      return worst
    },
    dispose: () => tf.dispose([x, filter, dy]),
  }
}

const release = (result: tf.TensorInfo) => backend.disposeData(result.dataId)
const cases = layers.map(makeCase)
const warm = cases.find(({ layer }) => layer[3] === 3 && layer[4] === 1) ?? cases[0]
/** Has the GPU work for a while. */
function heat(milliseconds: number): void {
  for (let spent = 0; spent < milliseconds; spent += warm.flop / 2e10)
    release(warm.run(ownKernels, 'forward'))
  backend.flush()
}

/** What is tried for a product: another tile, another way. */
interface Variant {
  name: string
  winograd?: number
  tile?: (tile: GpuTile) => Partial<GpuTile> | undefined
}
const VARIANTS: Variant[] = [
  { name: 'usual' },
  { name: 'direct', winograd: Infinity },
  { name: 'unrolled', tile: ({ unroll }) => (unroll ? undefined : { unroll: true }) },
  { name: 'rolled', tile: ({ unroll }) => (unroll ? { unroll: false } : undefined) },
  {
    name: '64x64x16 8x4',
    tile: () => ({ rows: 64, columns: 64, depth: 16, ownRows: 8, ownColumns: 4, unroll: false }),
  },
  {
    name: '128x64x16 8x8',
    tile: () => ({ rows: 128, columns: 64, depth: 16, ownRows: 8, ownColumns: 8, unroll: false }),
  },
  {
    name: '128x128x16 16x8',
    tile: () => ({ rows: 128, columns: 128, depth: 16, ownRows: 16, ownColumns: 8, unroll: false }),
  },
]
const usualWinograd = winograd.channels
/** The plan last used. */
let used: GpuPlan | undefined
function select(variant: Variant): void {
  winograd.channels = variant.winograd ?? usualWinograd
  tuning.plan = (shape) => {
    const plan = usualPlan(shape, backend.device.limits)
    used = { ...plan, tile: { ...plan.tile, ...variant.tile?.(plan.tile) } }
    return used
  }
}
const describe = ({ tile, parts }: GpuPlan) =>
  `${tile.rows}x${tile.columns}x${tile.depth} ${tile.ownRows}x${tile.ownColumns}${tile.unroll ? 'u' : ''} /${parts}`

interface Item {
  one: Case
  pass: Pass
}
// Nobody asks for the gradient of the picture itself.
const items: Item[] = cases.flatMap((one) =>
  PASSES.filter((pass) => pass !== 'input' || one.layer[1] !== 3).map((pass) => ({ one, pass })),
)
select(VARIANTS[0])
const compilation = performance.now()
await compileAhead(
  items.map(
    ({ one, pass }) =>
      () =>
        one.run(ownKernels, pass),
  ),
)
console.log(
  `${cases.length} layers, batch ${batch}; compiled in ${Math.round(performance.now() - compilation)} ms`,
)
// An idle GPU is clocked down.
if (!small) heat(800)
await finished()

for (const mode of modes) {
  select(VARIANTS[0])
  if (mode === 'check') {
    let worst = 0
    for (const one of cases) {
      for (const pass of PASSES) {
        const error = await one.check(pass, one.run(ownKernels, pass))
        worst = error <= worst ? worst : error
        if (!(error < 1e-4)) console.log(`WRONG ${nameOf(one.layer)} ${pass}: ${error.toExponential(1)}`)
      }
    }
    await assertHealthy()
    console.log(`check: largest error ${worst.toExponential(1)} of ${cases.length * 3} kernels`)
  } else if (mode === 'ours' || mode === 'stock') {
    const kernels = mode === 'ours' ? ownKernels : stockKernels
    const sums = { forward: 0, input: 0, filter: 0, flop: 0 }
    console.log(`\n${mode}: ms and TFLOP/s`)
    for (const one of cases) {
      const [, channels, , , , often] = one.layer
      const line: string[] = []
      for (const pass of PASSES) {
        if (pass === 'input' && channels === 3) {
          line.push('-'.padStart(14))
          continue
        }
        const spent = await time(() => release(one.run(kernels, pass)))
        sums[pass] += spent * often
        sums.flop += one.flop * often
        line.push(`${spent.toFixed(3).padStart(8)} ${(one.flop / spent / 1e9).toFixed(1).padStart(5)}`)
        if (mode === 'ours') line.push(describe(used!).padEnd(24))
      }
      console.log(`${nameOf(one.layer).padEnd(26)} x${often} ${line.join(' ')}`)
    }
    const all = sums.forward + sums.input + sums.filter
    console.log(
      `${mode}: network forward ${sums.forward.toFixed(2)} ms, input ${sums.input.toFixed(2)}, filter ${sums.filter.toFixed(2)}, all ${all.toFixed(2)}, ${(sums.flop / all / 1e9).toFixed(1)} TFLOP/s`,
    )
    await assertHealthy()
  } else if (mode === 'variants') {
    // The most frequent first: there may be no time for all.
    const order = items
      .toSorted((a, b) => b.one.layer[5] * b.one.flop - a.one.layer[5] * a.one.flop)
      .slice(0, Number(process.env.COUNT ?? 24))
    const tries = order.flatMap(({ one, pass }) => VARIANTS.map((variant) => ({ one, pass, variant })))
    await compileAhead(
      tries.map(({ one, pass, variant }) => () => {
        select(variant)
        return one.run(ownKernels, pass)
      }),
    )
    const seen = new Set<string>()
    let last = ''
    for (const { one, pass, variant } of tries) {
      if (late()) break
      select(variant)
      const title = `${nameOf(one.layer)} ${pass}`
      if (title !== last) console.log(title)
      last = title
      release(one.run(ownKernels, pass))
      const key = `${title} ${describe(used!)} ${winograd.channels <= Math.min(one.layer[1], one.layer[2])}`
      if (seen.has(key)) continue
      seen.add(key)
      const spent = await time(() => release(one.run(ownKernels, pass)))
      console.log(
        `  ${variant.name.padEnd(18)} ${describe(used!).padEnd(24)} ${spent.toFixed(3)} ms ${(one.flop / spent / 1e9).toFixed(1)} TFLOP/s`,
      )
    }
    await assertHealthy()
  }
}
process.exit(0)
