// Every convolution of ResNet-50 (batch 32, 224 x 224): forward, input gradient, filter gradient; time, TFLOP/s and the sum over the
// network, on WebGPU. Checks sampled results against float64.
//   node --conditions=@facekit/source --import tsx benchmarks/convolution.ts [ours] [stock] [tiles] [check]
// SMALL=1 for a software adapter: tiny sizes. ONLY=3x3 restricts to layers whose name contains it; BATCH=8 sets another batch;
// WINOGRAD=1e9 goes without Winograd's basis.
import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/core'
import { assertHealthy, initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import { tuning, type GpuPlan } from '../packages/engine/src/gpu-matmul-plan.js'
import { winograd } from '../packages/engine/src/gpu-conv-winograd.js'
import { stockGpuKernels } from '../packages/engine/src/gpu-matmul-replace.js'

const small = process.env.SMALL !== undefined
const modes = process.argv.slice(2).length > 0 ? process.argv.slice(2) : ['check', 'ours']
const batch = small ? 2 : Number(process.env.BATCH ?? 32)
/** Milliseconds of running before and while each case is timed. */
const effort = small ? 0 : Number(process.env.EFFORT ?? 25)

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
const backend = tf.backend() as tf.KernelBackend & { device: GPUDevice; flush?(): void; submitQueue(): void }
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
  if (backend.flush) backend.flush()
  return backend.device.queue.onSubmittedWorkDone()
}

/** Milliseconds of one call. */
async function time(run: () => void): Promise<number> {
  // An idle GPU is clocked down: it has something to do while the kernel is compiled.
  heat()
  run()
  await finished()
  if (effort === 0) return NaN
  let each = 1
  for (let count = 2; ; count *= 2) {
    const start = performance.now()
    for (let i = 0; i < count; i++) run()
    await finished()
    const spent = performance.now() - start
    each = spent / count
    if (spent > effort / 3) break
  }
  const count = Math.max(3, Math.ceil(effort / each))
  const start = performance.now()
  for (let i = 0; i < count; i++) run()
  await finished()
  return (performance.now() - start) / count
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

const cases = layers
console.log(`${cases.length} layers, batch ${batch}`)
const release = (result: tf.TensorInfo) => backend.disposeData(result.dataId)

const warm = makeCase(LAYERS[2])
/** Has the GPU work for a tenth of a second. */
function heat(): void {
  if (small) return
  for (let i = 0; i < 300; i++) release(warm.run(ownKernels, 'forward'))
  if (backend.flush) backend.flush()
}
for (let i = 0; i < 6; i++) {
  heat()
  await finished()
}

for (const mode of modes) {
  if (mode === 'check') {
    const start = performance.now()
    let worst = 0
    for (const layer of cases) {
      if (late()) break
      const one = makeCase(layer)
      for (const pass of PASSES) {
        const error = await one.check(pass, one.run(ownKernels, pass))
        worst = error <= worst ? worst : error
        if (!(error < 1e-4)) console.log(`WRONG ${nameOf(layer)} ${pass}: ${error.toExponential(1)}`)
      }
      one.dispose()
    }
    await assertHealthy()
    console.log(
      `check: largest error ${worst.toExponential(1)} of ${cases.length * 3} kernels; ${Math.round(performance.now() - start)} ms with compilation`,
    )
  } else if (mode === 'ours' || mode === 'stock') {
    const kernels = mode === 'ours' ? ownKernels : stockKernels
    const sums = { forward: 0, input: 0, filter: 0, flop: 0 }
    console.log(`\n${mode}: ms and TFLOP/s`)
    for (const layer of cases) {
      const one = makeCase(layer)
      const line: string[] = []
      for (const pass of PASSES) {
        // Nobody asks for the gradient of the picture itself.
        if (pass === 'input' && layer[1] === 3) {
          line.push('-'.padStart(16))
          continue
        }
        const spent = await time(() => release(one.run(kernels, pass)))
        sums[pass] += spent * layer[5]
        sums.flop += one.flop * layer[5]
        line.push(`${spent.toFixed(3).padStart(8)} ${(one.flop / spent / 1e9).toFixed(1).padStart(5)}`)
      }
      console.log(`${nameOf(layer).padEnd(26)} x${layer[5]} ${line.join(' ')}`)
      one.dispose()
    }
    const all = sums.forward + sums.input + sums.filter
    console.log(
      `${mode}: network forward ${sums.forward.toFixed(2)} ms, input ${sums.input.toFixed(2)}, filter ${sums.filter.toFixed(2)}, all ${all.toFixed(2)}, ${(sums.flop / all / 1e9).toFixed(1)} TFLOP/s`,
    )
    await assertHealthy()
  } else if (mode === 'tiles') {
    // TILES="128,128,16,8,8,1;..." or the usual ones; PARTS="1,2,4" for the splits of the filter gradient.
    const tiles = (
      process.env.TILES ??
      '128,128,16,8,8,1;128,64,16,8,8,0;64,128,16,8,8,0;64,64,16,8,8,0;64,64,16,8,4,0;64,64,16,4,4,0'
    )
      .split(';')
      .map((text) => text.split(',').map(Number))
    const passes = (process.env.PASSES ?? 'forward,input,filter').split(',') as Pass[]
    const chosen = cases.filter((layer) => new RegExp(process.env.TILE_LAYERS ?? '').test(nameOf(layer)))
    for (const layer of chosen) {
      const one = makeCase(layer)
      for (const pass of passes) {
        if (late() || (pass === 'input' && layer[1] === 3)) continue
        const results: string[] = []
        for (const [rows, columns, depth, ownRows, ownColumns, unroll] of tiles) {
          const tile: GpuPlan['tile'] = {
            rows,
            columns,
            depth,
            ownRows,
            ownColumns,
            unroll: unroll === 1,
          }
          let parts = 1
          tuning.plan = (shape) => {
            const count = Math.ceil(shape.rows / rows) * Math.ceil(shape.columns / columns) * shape.count
            const steps = Math.ceil(shape.inner / depth)
            const target = Number(process.env.TARGET ?? 528) / ((rows * columns) / 16384) / 2
            parts = Math.max(1, Math.min(512, Math.round(target / count), Math.floor(steps / 8)))
            return { tile, parts }
          }
          const first = performance.now()
          let spent = NaN
          try {
            heat()
            release(one.run(ownKernels, pass))
            await finished()
            const compile = performance.now() - first
            spent = await time(() => release(one.run(ownKernels, pass)))
            results.push(
              `  ${Object.values(tile).join('x').padEnd(18)} /${String(parts).padEnd(3)} ${spent.toFixed(3)} ms ${(one.flop / spent / 1e9).toFixed(1)} TFLOP/s (compiled in ${compile.toFixed(0)} ms)`,
            )
          } catch (error) {
            results.push(`  ${Object.values(tile).join('x')} ${(error as Error).message}`)
          }
        }
        tuning.plan = undefined
        console.log(`${nameOf(layer)} ${pass}\n${results.join('\n')}`)
      }
      one.dispose()
    }
    await assertHealthy()
  }
}
process.exit(0)
