import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CheckpointError, ShapeError, ValueError } from '@facekit/core'
import { hasWebgpu, useBackend } from '@facekit/testing'
import {
  DivergenceError,
  listCheckpoints,
  readLatestCheckpoint,
  readTrainingLog,
  runTraining,
  type GradientReducer,
} from '@facekit/trainer'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  memoryReducers,
  scratchFolder,
  tinyBatches,
  tinyLoss,
  tinyNetwork,
  trainTiny,
} from './training-fixtures.js'

const webgpu = await hasWebgpu()
const backends = webgpu ? ['cpu', 'wasm', 'webgpu'] : ['cpu', 'wasm']
afterAll(() => useBackend('cpu'))

describe.each(backends)('runTraining on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it.each(['adam', 'adamw', 'sgd'] as const)('smoke: %s lowers the loss', async (optimizer) => {
    const { result, losses } = await trainTiny({ optimizer, iterations: 24, learningRate: 0.05 })
    expect(result.stoppedBy).toBe('iterations')
    expect(result.iterations).toBe(24)
    expect(result.loss).toBeLessThan(losses.get(1)! * 0.7)
    expect(result.terms.square).toBeGreaterThan(0)
    expect(result.waitShare).toBeGreaterThan(0)
  })

  it('value: moving averages follow, gradients are clipped, accumulated, phases begin', async () => {
    const model = tinyNetwork()
    const result = await runTraining({
      model,
      loss: (iteration, ...batch) => {
        const { total, terms } = tinyLoss(model)(iteration, ...batch)
        return iteration >= 8 ? { total, terms } : { total: terms!.square, terms: { square: terms!.square } }
      },
      phase: (iteration) => (iteration >= 8 ? 'both' : 'square'),
      batches: tinyBatches(),
      iterations: 16,
      accumulate: 2,
      clipNorm: 0.5,
      learningRate: (iteration) => 0.05 / (1 + iteration),
    })
    expect(Object.keys(result.terms)).toEqual(['square', 'size'])
    const mean = await model.getLayer('norm').weights[2].read().data()
    expect(mean.some((value) => Math.abs(value) > 1e-3)).toBe(true)
    model.dispose()
  })

  it('memory: no tensor is left', async () => {
    const train = () => trainTiny({ accumulate: 2, clipNorm: 1, iterations: 6, folder: scratchFolder() })
    await train()
    const before = tf.memory().numTensors
    await train()
    expect(tf.memory().numTensors).toBe(before)
  })
})

describe.each(['cpu', 'wasm'])('resuming on %s', (backend) => {
  beforeAll(() => useBackend(backend))

  it.each(['adam', 'adamw', 'sgd'] as const)('value: %s goes on to the bit', async (optimizer) => {
    const settings = { optimizer, ...(optimizer === 'sgd' && { momentum: 0.9 }), accumulate: 2, clipNorm: 1 }
    const whole = await trainTiny(settings)
    const folder = scratchFolder()
    const first = await trainTiny({ ...settings, folder, checkpointEvery: 5, iterations: 7 })
    const second = await trainTiny({ ...settings, folder, resume: true, logEvery: 1 })
    expect(new Map([...first.losses, ...second.losses])).toEqual(whole.losses)
    expect(second.weights).toEqual(whole.weights)
    const log = await readTrainingLog(join(folder, 'log.jsonl'))
    expect(log.filter(({ loss }) => loss !== undefined).map(({ iteration }) => iteration)).toEqual([
      7, 8, 9, 10, 11, 12,
    ])
  })

  it('value: a damaged checkpoint is passed over for the one before', async () => {
    const folder = scratchFolder()
    const whole = await trainTiny({ folder, checkpointEvery: 4 })
    const [newest, before] = await listCheckpoints(folder)
    const bytes = readFileSync(newest)
    bytes[bytes.length - 3] ^= 1
    writeFileSync(newest, bytes)
    const again = await trainTiny({ folder, resume: true })
    expect([...again.losses.keys()]).toEqual([9, 10, 11, 12])
    expect(again.weights).toEqual(whole.weights)
    for (const path of await listCheckpoints(folder)) writeFileSync(path, bytes.subarray(0, 100))
    await expect(trainTiny({ folder, resume: 'auto' })).rejects.toThrow(CheckpointError)
    await expect(trainTiny({ resume: before })).rejects.toThrow(/damaged/)
  })

  it('throws: what cannot be resumed', async () => {
    const folder = scratchFolder()
    await expect(trainTiny({ folder, resume: true })).rejects.toThrow(/no checkpoint/)
    await trainTiny({ folder, resume: 'auto', iterations: 2 })
    await expect(trainTiny({ folder })).rejects.toThrow(/holds a training that got to iteration 2/)
    await expect(trainTiny({ folder, resume: true, optimizer: 'sgd' })).rejects.toThrow(CheckpointError)
  })

  it('throws: fewer iterations than are done; a refused training changes nothing', async () => {
    const folder = scratchFolder()
    await trainTiny({ folder, iterations: 4 })
    const contents = () =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => [name, readFileSync(join(folder, name), 'base64')])
    const before = contents()
    const started: number[] = []
    const onStart = (iteration: number) => void started.push(iteration)
    await expect(trainTiny({ folder, resume: true, iterations: 2, onStart })).rejects.toThrow(
      /iterations is 2, checkpoint .*000000004.* has 4 done; ask for at least 4/,
    )
    await expect(trainTiny({ folder, resume: true, optimizer: 'sgd', onStart })).rejects.toThrow(/unknown/)
    await expect(trainTiny({ folder, onStart })).rejects.toThrow(/holds a training/)
    expect(contents()).toEqual(before)
    expect(started).toEqual([])
    await trainTiny({ folder, resume: true, iterations: 5, onStart })
    expect(started).toEqual([4])
  })

  it('throws: a second training in the folder of one that runs; the first one is as if alone', async () => {
    const folder = join(scratchFolder(), 'run')
    let second: Promise<unknown> | undefined
    const alone = await trainTiny()
    const first = await trainTiny({
      folder,
      checkpointEvery: 4,
      onProgress: ({ iteration }) => {
        if (iteration === 5) second = trainTiny({ folder, resume: 'auto' }).catch((error: unknown) => error)
      },
    })
    expect(await second).toMatchObject({
      name: 'LockError',
      message: expect.stringMatching(/trains in .*run already/),
    })
    expect(first.weights).toEqual(alone.weights)
    expect(first.losses).toEqual(alone.losses)
    // Released: it can be gone on with.
    await trainTiny({ folder, resume: true, iterations: 13 })
  })

  it('throws: a folder that is removed meanwhile, or replaced', async () => {
    for (const replace of [false, true]) {
      const folder = join(scratchFolder(), 'run')
      const training = trainTiny({
        folder,
        checkpointEvery: 4,
        logEvery: 100,
        onProgress: ({ iteration }) => {
          if (iteration !== 6) return
          rmSync(folder, { recursive: true })
          if (replace) mkdirSync(folder)
        },
      })
      await expect(training).rejects.toThrow(/run was removed or replaced while the training ran/)
      expect(existsSync(join(folder, 'report.html'))).toBe(false)
    }
  })

  it('value: what a killed process left half written goes', async () => {
    const folder = join(scratchFolder(), 'run')
    mkdirSync(join(folder, 'panels'), { recursive: true })
    const left = ['checkpoint-000000001.safetensors.12.abc123.tmp', 'latest.12.abc123.tmp']
    for (const name of [...left, 'mine.12.abc123.tmp']) writeFileSync(join(folder, name), 'half')
    await trainTiny({ folder, iterations: 2 })
    const names = readdirSync(folder)
    expect(names).not.toEqual(expect.arrayContaining([left[0]]))
    expect(names).not.toEqual(expect.arrayContaining([left[1]]))
    expect(names).toContain('mine.12.abc123.tmp')
  })

  it('value: keeps as many checkpoints as asked for, nothing else', async () => {
    const folder = scratchFolder()
    await trainTiny({ folder, checkpointEvery: 2, keepCheckpoints: 2 })
    const names = readdirSync(folder).filter((name) => !/^(events|report)/.test(name))
    expect(names.sort()).toEqual([
      'checkpoint-000000010.safetensors',
      'checkpoint-000000012.safetensors',
      'latest',
      'log.jsonl',
    ])
  })

  it('value: accumulation equals a large batch', async () => {
    const run = (accumulate: number, size: number) => {
      const w = tf.variable(tf.tensor2d([0.3, -0.2, 0.5], [3, 1]))
      let at = 0
      const numbers = Array.from({ length: 96 }, (_, i) => Math.sin(i * 1.7))
      const next = async (): Promise<[tf.Tensor2D]> => {
        const part = numbers.slice(at, at + size * 3)
        at = (at + size * 3) % 96
        return [tf.tensor2d(part, [size, 3])]
      }
      return runTraining({
        model: { variables: { w } },
        loss: (_, x) => ({
          total: tf.mean(tf.square(tf.sub(tf.matMul(x, w as tf.Tensor2D), 1))) as tf.Scalar,
        }),
        batches: { next, state: () => at, restore: (state) => void (at = state as number) },
        iterations: 8,
        accumulate,
        learningRate: 0.1,
      }).then(async ({ loss }) => [loss, ...(await w.data())])
    }
    const [parts, whole] = [await run(4, 2), await run(1, 8)]
    parts.forEach((value, i) => expect(value).toBeCloseTo(whole[i], 5))
  })

  it('value: stops by time and by signal, with a checkpoint', async () => {
    const folder = scratchFolder()
    expect((await trainTiny({ folder, seconds: 0 })).result.stoppedBy).toBe('seconds')
    const controller = new AbortController()
    const { result } = await trainTiny({
      folder,
      resume: 'auto',
      signal: controller.signal,
      onProgress: ({ iteration }) => iteration === 3 && controller.abort(),
    })
    expect(result).toMatchObject({ stoppedBy: 'signal', iterations: 3 })
    expect(result.checkpoint).toMatch(/checkpoint-000000003/)
  })

  it('throws: a loss that is no number names its term and the last good checkpoint', async () => {
    const model = tinyNetwork()
    const folder = scratchFolder()
    const bad = tf.variable(tf.scalar(1))
    const training = runTraining({
      model,
      loss: (iteration, ...batch) => {
        const { total, terms } = tinyLoss(model)(iteration, ...batch)
        const ratio = tf.div(terms!.size, bad) as tf.Scalar
        return { total: tf.add(total, ratio) as tf.Scalar, terms: { ...terms, ratio } }
      },
      batches: tinyBatches(),
      iterations: 20,
      checkpointEvery: 4,
      folder,
      learningRate: 0.01,
      onProgress: ({ iteration }) => iteration === 6 && bad.assign(tf.scalar(0)),
    })
    await expect(training).rejects.toThrow(DivergenceError)
    await expect(training).rejects.toThrow(/iteration 6: term "ratio" is Infinity.*checkpoint-000000004/)
    const values = await Promise.all(model.weights.map((weight) => weight.read().data()))
    expect(values.every((array) => array.every(Number.isFinite))).toBe(true)
    model.dispose()
    bad.dispose()
  })

  it('throws: every rank goes back to the last good checkpoint', async () => {
    const folder = scratchFolder()
    const train = async (reducer: GradientReducer) => {
      let index = 0
      const w = tf.variable(tf.tensor1d([1, 2]))
      const error = await runTraining<[tf.Tensor1D]>({
        model: { variables: { w } },
        loss: (_, x) => ({ total: tf.mean(tf.square(tf.sub(w, x))) as tf.Scalar }),
        batches: {
          next: async () => [tf.tensor1d([index === 6 ? NaN : reducer.rank, index++])],
          state: () => index,
          restore: () => {},
        },
        iterations: 10,
        checkpointEvery: 4,
        learningRate: 0.1,
        folder,
        reducer,
      }).catch((reason: unknown) => reason)
      const values = Array.from(await w.data())
      w.dispose()
      return { error, values }
    }
    const trainings = await Promise.all(memoryReducers(2).map(train))
    const { tensors } = (await readLatestCheckpoint(folder))!.checkpoint
    for (const { error, values } of trainings) {
      expect(error).toBeInstanceOf(DivergenceError)
      expect((error as Error).message).toMatch(/the loss is NaN; the last good checkpoint is .*000000004/)
      expect(values).toEqual(Array.from(tensors.get('model/w')!.data))
    }
  })

  it('throws: a loss that explodes', async () => {
    const training = trainTiny({ optimizer: 'sgd', learningRate: 30, iterations: 200 })
    await expect(training).rejects.toThrow(/exploded.*term "s|no numbers|is NaN|is Infinity|not finite/)
  })

  it('throws: options and losses that make no sense', async () => {
    await expect(trainTiny({ optimizer: 'lion' as never })).rejects.toThrow(ValueError)
    await expect(trainTiny({ weightDecay: 1 })).rejects.toThrow(/adamw/)
    await expect(trainTiny({ accumulate: 0 })).rejects.toThrow(ValueError)
    await expect(trainTiny({ loss: (_, x) => ({ total: x as never }) })).rejects.toThrow(ShapeError)
  })
})

describe.skipIf(!webgpu)('runTraining in mixed precision with other processes', () => {
  const setUnits = (matrixUnits: string, mixed: boolean) =>
    Object.assign(tf.backend(), { matrixUnits, mixed })
  beforeAll(async () => {
    await useBackend('webgpu')
    setUnits('emulated', true)
  })
  afterAll(() => setUnits('none', false))

  it('value: comes to what one comes to where all have the same batches; clipped, too', async () => {
    // The process of rank 1 of three that all do the same.
    const reducer: GradientReducer = {
      ...memoryReducers(1)[0],
      rank: 1,
      size: 3,
      allReduce: async (values) => void values.forEach((value, i) => (values[i] = 3 * value)),
      allGather: async (part, all) => [0, 1, 2].forEach((rank) => all.set(part, rank * part.length)),
    }
    const options = { iterations: 6, clipNorm: 0.5 }
    const alone = await trainTiny(options)
    const { result, losses, weights } = await trainTiny({ ...options, reducer })
    expect(result.exchange!.computing).toBeGreaterThan(0)
    expect(alone.result.exchange).toBeUndefined()
    for (const [iteration, loss] of losses) expect(loss).toBeCloseTo(alone.losses.get(iteration)!, 2)
    for (const [i, values] of weights.entries())
      for (const [j, value] of values.entries()) expect(value).toBeCloseTo(alone.weights[i][j], 2)
  })
})
