// One process of a run over several: mpiexec -n 2 node ... mpi-process.ts <settings as JSON>. Prints its losses as JSON.
import { initEngine, readLossScale } from '@facekit/engine'
import { openMpi, processRank, runTraining, type BatchSource } from '@facekit/trainer'
import { createRandom } from '@facekit/core'
import * as tf from '@tensorflow/tfjs-core'
import { hasWebgpu } from '@facekit/testing'
import { tinyLoss, tinyNetwork } from './training-fixtures.js'

interface Settings {
  iterations: number
  folder?: string
  resume?: boolean
  /** What rank 1 does at the batch of this number. */
  at?: number
  does?: 'throw' | 'kill' | 'stop' | 'break' | 'integers' | 'lengths' | 'parts'
  /** Rank 1 runs another one. */
  program?: string
  settings?: string
  most?: number
  /** What computes; default WASM. */
  precision?: 'float32' | 'mixed'
}

const settings = JSON.parse(process.argv[2]) as Settings
const gpu = settings.precision !== undefined
if (gpu && !(await hasWebgpu())) throw new Error('there is no WebGPU here')
await initEngine(gpu ? { backend: 'webgpu' } : { backend: 'wasm', threads: 1 })
// No software adapter has matrix units.
if (settings.precision === 'mixed') Object.assign(tf.backend(), { matrixUnits: 'emulated', mixed: true })
const isSecond = processRank()?.rank === 1
const reducer = await openMpi({
  ...(isSecond && settings.program && { program: settings.program }),
  ...(isSecond && settings.settings && { settings: settings.settings }),
  ...(settings.most && { most: settings.most }),
}).catch((error: Error) => {
  console.log(`${error.name}: ${error.message}`)
  process.exit(3)
})
if (settings.does === 'lengths' || settings.does === 'parts') {
  const length = settings.does === 'lengths' && isSecond ? 5 : 8
  for (const values of [Float32Array.from({ length }, (_, i) => i), new Float64Array(length).fill(0.5)]) {
    await reducer!
      .allReduce(values)
      .then(() => console.log(`sums ${values.join()}`))
      .catch(({ name, message }: Error) => console.log(`${name}: ${message}`))
  }
  const gathered = new Uint8Array(2 * reducer!.size)
  await reducer!.allGather!(Uint8Array.of(7, 10 + reducer!.rank), gathered)
  console.log(`gathered ${gathered.join()}`)
  reducer!.close()
  process.exit(0)
}
if (settings.does === 'integers') {
  const integers = Int32Array.of(1, 2) as unknown as Float32Array
  const synchronous = async () => reducer!.allReduceSync(integers)
  for (const sum of [() => reducer!.allReduce(integers), synchronous])
    await sum().catch(({ name, message }: Error) => console.log(`${name}: ${message}`))
  const doubles = Float64Array.of(0.1, reducer!.rank)
  await reducer!.allReduce(doubles)
  console.log(`sums ${doubles.join()}`)
  reducer!.close()
  process.exit(0)
}
const { rank, size } = reducer ?? { rank: 0, size: 1 }
const model = tinyNetwork()
const controller = new AbortController()
const GLOBAL = 8
let index = 0
const batches: BatchSource<[tf.Tensor4D, tf.Tensor2D]> = {
  next: async () => {
    if (rank === 1 && index === settings.at) {
      if (settings.does === 'throw') throw new Error('the disk is on fire')
      if (settings.does === 'kill') process.kill(process.pid, 'SIGKILL')
      if (settings.does === 'stop') controller.abort()
    }
    const random = createRandom(index++)
    const count = GLOBAL / size
    // Each process draws the whole batch and takes its share.
    const pixels = Float32Array.from({ length: GLOBAL * 192 }, () => random.uniform())
    const targets = Float32Array.from({ length: GLOBAL * 2 }, () => random.uniform())
    const share = (values: Float32Array) => {
      const width = values.length / GLOBAL
      return values.slice(rank * count * width, (rank + 1) * count * width)
    }
    return [tf.tensor4d(share(pixels), [count, 8, 8, 3]), tf.tensor2d(share(targets), [count, 2])]
  },
  state: () => ({ index, rank }),
  restore: (state) => {
    const stored = state as { index: number; rank: number }
    if (stored.rank !== rank) throw new Error(`rank ${rank} got the state of rank ${stored.rank}`)
    index = stored.index
  },
}
const losses: Record<number, number> = {}
const loss = tinyLoss(model)
try {
  const { stoppedBy, exchange } = await runTraining({
    model,
    loss: (iteration, ...batch) => {
      if (rank === 1 && settings.does === 'break' && iteration === settings.at)
        throw new Error('a wheel came off')
      return loss(iteration, ...batch)
    },
    batches,
    iterations: settings.iterations,
    learningRate: 0.05,
    clipNorm: 0.5,
    folder: settings.folder,
    resume: settings.resume,
    checkpointEvery: 3,
    signal: controller.signal,
    reducer,
    onProgress: ({ iteration, loss: value }) => void (losses[iteration] = value),
  })
  const mean = Array.from(await model.getLayer('norm').weights[2].read().data())
  if (gpu) {
    const weights = Array.from(await model.getLayer('head').weights[0].read().data())
    console.log(
      JSON.stringify({ rank, losses, weights, exchange, skipped: (await readLossScale())?.skipped }),
    )
  } else if (rank === 0) console.log(JSON.stringify({ losses, mean, stoppedBy, size }))
} catch (error) {
  console.log(JSON.stringify({ rank, error: (error as Error).message }))
  process.exitCode = 1
}
reducer?.close()
