/** How long a training step of a ResNet takes: forward, backward, update by Adam; on every backend found, and beside stock tfjs.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/training-step.ts [options]
 *
 *   --backend wasm,cpu    backends; default: all that work here. `stock-cpu` is tfjs' cpu backend before anything is completed
 *   --network 18|50       default 18     --batch N   default 4     --size N   pixels, default 112
 *   --repetitions N       default 10     --seconds N  at most this long for a backend, default 60
 *   --threads N           of wasm; default: one for each core
 *   --stock               plain tfjs operations instead of `batchNormalization` of @facekit/engine
 *   --no-record           do not record and replay the step on webgpu
 *   --precision mixed     on GPUs that can; also says how long compiling took, ahead and in parallel
 *   --profile             the kernels of a recorded step, on webgpu
 *   --steps N             so many more steps at the end, and memory after each quarter of them
 *   --json FILE           write the results
 */
import { parseArgs } from 'node:util'
import { batchNormalization, initEngine, recordStep, type BackendName, type Precision } from '@facekit/engine'
import { compileAhead, type GpuBackend } from '@facekit/kernels'
import * as tf from '@tensorflow/tfjs-core'
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { chooseBackends, memory, printTable, summarize, time, writeJson } from './benchmark.js'
import { createImages, createResNet, forward, plainNormalize, type Depth, type Normalize } from './resnet.js'

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string' },
    network: { type: 'string', default: '18' },
    batch: { type: 'string', default: '4' },
    size: { type: 'string', default: '112' },
    repetitions: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    threads: { type: 'string' },
    stock: { type: 'boolean', default: false },
    'no-record': { type: 'boolean', default: false },
    precision: { type: 'string', default: 'float32' },
    profile: { type: 'boolean', default: false },
    steps: { type: 'string' },
    json: { type: 'string' },
  },
})
const [depth, batch, size, repetitions, seconds] = [
  options.network,
  options.batch,
  options.size,
  options.repetitions,
  options.seconds,
].map(Number)

const fused: Normalize = (x, scale, offset, settings) => batchNormalization(x, scale, offset, settings).output

async function measure(name: string) {
  const plain = options.stock || name === 'stock-cpu'
  const normalize = plain ? plainNormalize : fused
  const net = createResNet(depth as Depth)
  const images = createImages(batch, size)
  const target = tf.randomNormal([batch, net.bias.shape[0]], 0, 1, 'float32', 5) as tf.Tensor2D
  const optimizer = tf.train.adam(1e-4)
  const loss = (x: tf.Tensor4D, y: tf.Tensor2D) =>
    tf.losses.meanSquaredError(y, forward(net, x, normalize)) as tf.Scalar
  const plainStep = (x: tf.Tensor4D, y: tf.Tensor2D) =>
    optimizer.minimize(() => loss(x, y), true, net.variables)!
  const gpu = name === 'webgpu'
  const recorded = recordStep(plainStep)
  const step = gpu && !options['no-record'] ? recorded : plainStep
  const evaluate = gpu && !options['no-record'] ? recordStep(loss) : loss
  const runForward = () => tf.tidy(() => evaluate(images, target))
  const runStep = () => step(images, target)
  let start = performance.now()
  if (gpu && options.precision === 'mixed') {
    const { device } = tf.backend() as GpuBackend
    const count = await compileAhead(device, () => plainStep(images, target).dispose())
    console.log(`${count} programs compiled ahead in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  }
  const spent = () => (performance.now() - start) / 1000
  const first = await time(runStep)
  // Stock tfjs: nobody wants to wait for a second one. (On a GPU the first one compiles.)
  const once = !gpu && first > 10_000
  // The first one compiles; a software adapter is slow even then.
  const quick = !once && (await time(runStep)) < 2000
  const count = gpu && quick ? 10 : 1
  // Warm up: record, and wake a GPU that has clocked down.
  if (quick) for (let i = 0; i < (gpu ? 30 : 1); i++) await time(runStep)
  const before = memory()
  start = performance.now()
  const forwards: number[] = []
  const steps: number[] = once ? [first] : []
  do {
    // The first one after a step packs the filters anew; the second one does not.
    if (quick) await time(runForward)
    forwards.push(await time(runForward, count))
    if (!once) steps.push(await time(runStep, count))
  } while (steps.length < (once ? 1 : repetitions) && spent() < seconds)
  const after = memory()
  if (options.profile && 'profile' in step)
    printTable((await (step as typeof recorded).profile()).slice(0, 40).map((kernel) => ({ ...kernel })))
  if (options.steps !== undefined) await watchMemory(runStep, Number(options.steps))
  const [forwardTimes, stepTimes] = [summarize(forwards), summarize(steps)]
  optimizer.dispose()
  tf.dispose([images, target, net.variables])
  return {
    backend: name,
    normalization: plain ? 'plain operations' : 'fused',
    forward: forwardTimes,
    step: stepTimes,
    ratio: stepTimes.fastest / forwardTimes.fastest,
    allocatedForStep: before.allocated,
    leakedTensors: after.tensors - before.tensors,
    memory: after,
  }
}

/** Runs steps, and says what is in memory before, in between and after. */
async function watchMemory(run: () => tf.Tensor, steps: number): Promise<void> {
  const rows: Record<string, number>[] = []
  for (let done = 0; done <= steps; done++) {
    if (done % Math.ceil(steps / 4) === 0 || done === steps)
      rows.push({ steps: done, ...memory(), 'MB of the process': process.memoryUsage().rss / 1e6 })
    if (done < steps) await time(run)
  }
  printTable(rows)
}

const results: Awaited<ReturnType<typeof measure>>[] = []
const asked = options.backend?.split(',')
if (asked?.includes('stock-cpu')) {
  // Before initEngine: nothing is completed yet.
  if (!tf.findBackendFactory('cpu')) tf.registerBackend('cpu', () => new MathBackendCPU())
  await tf.setBackend('cpu')
  results.push(await measure('stock-cpu'))
}
const backends = asked
  ? asked.filter((name): name is BackendName => name !== 'stock-cpu')
  : await chooseBackends(undefined)
for (const backend of backends) {
  const threads = options.threads === undefined ? undefined : Number(options.threads)
  const precision = options.precision as Precision
  const engine = await initEngine({ backend, threads, precision })
  console.log(
    `${backend}: ${engine.reason}, ${engine.precision}${engine.precisionReason ? ` (${engine.precisionReason})` : ''}`,
  )
  results.push(await measure(backend))
}
console.log(`ResNet-${depth}, batch ${batch}, ${size} x ${size}, Adam; fastest of the runs, in ms`)
const slowest = results.find(({ backend }) => backend === 'stock-cpu') ?? results.at(-1)!
printTable(
  results.map(
    ({ backend, normalization, forward, step, ratio, allocatedForStep, leakedTensors, memory }) => ({
      backend,
      normalization,
      runs: step.runs,
      forward: forward.fastest,
      step: step.fastest,
      'median step': step.median,
      'step / forward': ratio,
      [`times ${slowest.backend}`]: slowest.step.fastest / step.fastest,
      'leaked tensors': leakedTensors,
      'MB live': memory.megabytes,
      'MB allocated for the step': allocatedForStep,
      'and the forward pass': memory.allocated,
    }),
  ),
)
await writeJson(options.json, { network: `ResNet-${depth}`, batch, size, node: process.version, results })
process.exit(0)
