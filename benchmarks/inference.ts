/** How long a ResNet takes to run: on every backend found, beside onnxruntime with one thread. Batch normalisation is folded into the
 * filters on both sides, as onnxruntime does by itself; the weights are the same, and the outputs are compared.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/inference.ts [options]
 *
 *   --backend wasm,cpu    backends; default: all that work here
 *   --network 18|50       default 50     --batch N   default 1     --size N   pixels, default 224
 *   --repetitions N       default 15     --seconds N  at most this long for a backend, default 60
 *   --threads N           of wasm; default 1, as onnxruntime has
 *   --onnxruntime MODULE  default onnxruntime-node; or the path of onnxruntime-web's dist/ort.node.min.mjs, which computes in WASM
 *   --processor           processor time of the process, on a machine that does other things, too
 *   --json FILE           write the results
 */
import { parseArgs } from 'node:util'
import { initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import type * as Ort from 'onnxruntime-node'
import { chooseBackends, memory, printTable, summarize, time, writeJson, type Times } from './benchmark.js'
import { encodeOnnx } from './resnet-onnx.js'
import { createImages, createResNet, foldResNet, infer, type Depth } from './resnet.js'

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string' },
    network: { type: 'string', default: '50' },
    batch: { type: 'string', default: '1' },
    size: { type: 'string', default: '224' },
    repetitions: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '60' },
    threads: { type: 'string', default: '1' },
    onnxruntime: { type: 'string', default: 'onnxruntime-node' },
    processor: { type: 'boolean', default: false },
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

interface Result {
  backend: string
  run: Times
  /** Of onnxruntime, measured in turns with it. */
  beside?: Times
  ratio?: number
  /** Largest difference of an output from onnxruntime's, of the largest output. */
  difference?: number
  leakedTensors: number
  memory: Record<string, number>
}

/** Milliseconds, of the wall clock or of the processor. */
const now = () => {
  if (!options.processor) return performance.now()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** onnxruntime with one thread, if it is installed. The name is hidden from bundlers. */
async function openOnnx(): Promise<typeof Ort | undefined> {
  const name = options.onnxruntime
  try {
    const ort = (await import(name)) as typeof Ort
    ort.env.wasm.numThreads = 1
    return ort
  } catch (error) {
    console.log(`without ${name}: ${String((error as Error).message).split('\n')[0]}`)
    return undefined
  }
}

const ort = await openOnnx()

async function measure(backend: string): Promise<Result> {
  const net = foldResNet(createResNet(depth as Depth))
  const images = createImages(batch, size)
  const run = () => infer(net, images)
  const gpu = backend === 'webgpu'
  const session =
    ort &&
    (await ort.InferenceSession.create(await encodeOnnx(net, batch, size), {
      executionProviders: [options.onnxruntime === 'onnxruntime-node' ? 'cpu' : 'wasm'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
    }))
  const planar = tf.transpose(images, [0, 3, 1, 2])
  const feeds = ort && {
    images: new ort.Tensor('float32', await planar.data<'float32'>(), [batch, 3, size, size]),
  }
  planar.dispose()
  await time(run)
  const quick = (await time(run)) < 2000
  if (quick) for (let i = 0; i < (gpu ? 100 : 2); i++) await time(run)
  const before = memory()
  const [ours, theirs]: number[][] = [[], []]
  const start = performance.now()
  do {
    if (gpu) ours.push(await time(run, quick ? 20 : 1))
    else {
      const from = now()
      const result = run()
      await result.data()
      ours.push(now() - from)
      result.dispose()
    }
    if (!session || !feeds) continue
    if (theirs.length === 0) await session.run(feeds)
    const from = now()
    await session.run(feeds)
    theirs.push(now() - from)
  } while (ours.length < repetitions && performance.now() - start < seconds * 1000)
  const after = memory()
  let difference: number | undefined
  if (session && feeds) {
    const [output] = Object.values(await session.run(feeds))
    const expected = output.data as Float32Array
    const actual = run()
    const values = await actual.data()
    actual.dispose()
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    difference =
      expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - values[i])), 0) / largest
  }
  await session?.release()
  const beside = theirs.length > 0 ? summarize(theirs) : undefined
  const times = summarize(ours)
  tf.disposeVariables()
  tf.dispose(images)
  return {
    backend,
    run: times,
    beside,
    ratio: beside && times.fastest / beside.fastest,
    difference,
    leakedTensors: after.tensors - before.tensors,
    memory: after,
  }
}

const results: Result[] = []
for (const backend of await chooseBackends(options.backend)) {
  const { reason } = await initEngine({ backend, threads: Number(options.threads) })
  console.log(`${backend}: ${reason}`)
  results.push(await measure(backend))
}
console.log(`ResNet-${depth}, batch ${batch}, ${size} x ${size}, inference; fastest of the runs, in ms`)
printTable(
  results.map(({ backend, run, beside, ratio, difference, leakedTensors, memory }) => ({
    backend,
    runs: run.runs,
    ms: run.fastest,
    'median ms': run.median,
    'onnxruntime, 1 thread, ms': beside?.fastest,
    'times its time': ratio,
    'largest difference': difference?.toExponential(1),
    'leaked tensors': leakedTensors,
    'MB live': memory.megabytes,
    'MB allocated': memory.allocated,
  })),
)
await writeJson(options.json, { network: `ResNet-${depth}`, batch, size, node: process.version, results })
process.exit(0)
