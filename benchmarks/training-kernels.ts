/** Kernels of a training step on WebGPU beside those of a convolution, at the sizes of ResNet-50 with 32 pictures of 224 x 224: time on the
 * GPU, and the bytes that the operation must read and write at least, a second.
 *
 * node --conditions=@facekit/source --import tsx benchmarks/training-kernels.ts [part of a name]
 *
 * SMALL=1 takes one picture of 28 x 28, to see whether it runs. benchmarks/training-kernels.py is the same with PyTorch. */
import * as tf from '@tensorflow/tfjs-core'
import { batchNormalization, initEngine, recordStep } from '@facekit/engine'
import { createResNet } from './resnet.js'

const small = process.env.SMALL === '1'
const only = process.argv[2] ?? ''
const batch = small ? 1 : 32
const scale = small ? 8 : 1
const repetitions = small ? 2 : 30

const { adapter } = await initEngine({ backend: 'webgpu' })
console.log(`${adapter?.description ?? 'unknown GPU'}; batch ${batch}`)

const drawn = tf.randomNormal([65536])

/** Random numbers; the same ones again in large tensors, which are made on the GPU. */
const random = (shape: number[]) =>
  tf.tidy(() => {
    const size = tf.util.sizeFromShape(shape)
    return tf.reshape(tf.slice(tf.tile(drawn, [Math.ceil(size / drawn.size)]), 0, size), shape)
  })
const bytes = (...shapes: number[][]) =>
  shapes.reduce((sum, shape) => sum + 4 * tf.util.sizeFromShape(shape), 0)

/** Waits for the GPU. */
async function settle() {
  const probe = tf.zeros([1])
  const sum = tf.add(probe, tf.scalar(1))
  await sum.data()
  tf.dispose([probe, sum])
}

const matrix = random([small ? 64 : 4096, small ? 64 : 4096])

/** Makes an idle GPU clock up. */
async function warmUp(milliseconds = 700) {
  const end = performance.now() + (small ? 1 : milliseconds)
  while (performance.now() < end) {
    for (let i = 0; i < 8; i++) tf.matMul(matrix, matrix).dispose()
    await settle()
  }
}

/** Records an operation, replays it, and prints its time and what of it each kernel takes. */
async function measure(name: string, moved: number, run: () => void): Promise<void> {
  if (!name.includes(only)) return
  const step = recordStep(() => {
    run()
    return []
  })
  try {
    for (let i = 0; i < 4; i++) step()
    await warmUp(60)
    const start = performance.now()
    for (let i = 0; i < repetitions; i++) step()
    await settle()
    const time = (performance.now() - start) / repetitions
    // The best of several: a profile runs each kernel once.
    const kernels = new Map<string, number>()
    for (let i = 0; i < (small ? 1 : 4); i++) {
      await warmUp(10)
      for (const { name, milliseconds } of await step.profile())
        kernels.set(name, Math.min(kernels.get(name) ?? Infinity, milliseconds))
    }
    const onGpu = [...kernels.values()].reduce((sum, t) => sum + t, 0)
    const parts = [...kernels].map(([name, t]) => `${name.replace('facekit_', '')} ${t.toFixed(3)}`)
    console.log(
      `${name.padEnd(44)} ${time.toFixed(3).padStart(8)} ms wall ${onGpu.toFixed(3).padStart(8)} ms kernels ${(moved / 1e6 / onGpu).toFixed(0).padStart(6)} GB/s  ${parts.join(', ')}`,
    )
  } catch (error) {
    console.log(`${name.padEnd(44)} ${(error as Error).message}`)
  } finally {
    step.dispose()
  }
}

const activations: [number, number][] = [
  [112, 64],
  [56, 64],
  [56, 256],
  [28, 128],
  [28, 512],
  [14, 256],
  [14, 1024],
  [7, 512],
  [7, 2048],
]
const shapeOf = ([size, channels]: [number, number]) => {
  const side = Math.max(1, Math.round(size / scale))
  return [batch, side, side, channels]
}

await warmUp()
console.log('\nreductions')
for (const activation of activations) {
  const shape = shapeOf(activation)
  const x = random(shape)
  await measure(`sum of [${shape}] over all but the last`, bytes(shape), () => tf.sum(x, [0, 1, 2]))
  x.dispose()
}
for (const [shape, axis] of [
  [[small ? 6400 : 6_400_000], undefined],
  [shapeOf([112, 64]), undefined],
  [shapeOf([7, 2048]), [1, 2]],
  [shapeOf([56, 64]), [3]],
  [[batch, 257], undefined],
] as [number[], number[] | undefined][]) {
  const x = random(shape)
  await measure(`mean of [${shape}] over ${axis ?? 'all'}`, bytes(shape), () => tf.mean(x, axis))
  x.dispose()
}

console.log('\nbatch normalisation')
for (const activation of activations) {
  const shape = shapeOf(activation)
  const [x, residual, dy] = [random(shape), random(shape), random(shape)] as tf.Tensor4D[]
  const [gain, offset] = [tf.ones<tf.Rank.R1>([shape[3]]), tf.zeros<tf.Rank.R1>([shape[3]])]
  const run = (added: boolean) => (x: tf.Tensor, gain: tf.Tensor, offset: tf.Tensor, residual: tf.Tensor) =>
    batchNormalization(x, gain as tf.Tensor1D, offset as tf.Tensor1D, {
      activation: 'relu',
      ...(added && { residual }),
    }).output
  const read = bytes(shape)
  await measure(`batch norm, relu [${shape}]`, 3 * read, () => run(false)(x, gain, offset, residual))
  await measure(`batch norm, residual, relu [${shape}]`, 4 * read, () => run(true)(x, gain, offset, residual))
  await measure(`forward, gradient of relu [${shape}]`, 8 * read, () =>
    tf.grads(run(false) as (...inputs: tf.Tensor[]) => tf.Tensor)(
      [x, gain, offset, residual].slice(0, 3),
      dy,
    ),
  )
  await measure(`forward, gradient of residual, relu [${shape}]`, 12 * read, () =>
    tf.grads(run(true) as (...inputs: tf.Tensor[]) => tf.Tensor)([x, gain, offset, residual], dy),
  )
  if (activation[1] === 256)
    await measure(`tf.batchNorm [${shape}]`, 2 * read, () =>
      tf.batchNorm(x, offset, gain, offset, gain, 1e-3),
    )
  tf.dispose([x, residual, dy, gain, offset])
}

await warmUp()
console.log('\nelement by element')
{
  const shape = shapeOf([56, 256])
  const [x, y] = [random(shape), random(shape)] as tf.Tensor4D[]
  const channels = random([shape[3]])
  const size = bytes(shape)
  const gradient = (f: (x: tf.Tensor) => tf.Tensor) => () => tf.grad(f)(x, y)
  await measure('add', 3 * size, () => tf.add(x, y))
  await measure('mul', 3 * size, () => tf.mul(x, y))
  await measure('add [C]', 2 * size, () => tf.add(x, channels))
  await measure('mul [C]', 2 * size, () => tf.mul(x, channels))
  await measure('relu', 2 * size, () => tf.relu(x))
  await measure('sqrt', 2 * size, () => tf.sqrt(x))
  await measure('relu, gradient', 5 * size, gradient(tf.relu))
  await measure('relu6, gradient', 5 * size, gradient(tf.relu6))
  await measure('elu, gradient', 5 * size, gradient(tf.elu))
  await measure('sigmoid, gradient', 5 * size, gradient(tf.sigmoid))
  await measure('tanh, gradient', 5 * size, gradient(tf.tanh))
  await measure('add, gradient to [C]', 3 * size, () =>
    tf.grads((x, c) => tf.add(x, c))([x, channels] as tf.Tensor[], y),
  )
  await measure('addN of 5', 6 * size, () => tf.addN([x, y, x, y, x]))
  await measure('sum, gradient', 2 * size, () => tf.grad((x) => tf.sum(x))(x))
  await measure('concat', 4 * size, () => tf.concat([x, y], 3))
  await measure('slice', size, () => tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, 128]))
  await measure('transpose', 2 * size, () => tf.transpose(x, [0, 3, 1, 2]))
  await measure('pad', 2 * size, () =>
    tf.pad(x, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]),
  )
  tf.dispose([x, y, channels])
  const pooled = shapeOf([7, 2048])
  const features = random(pooled)
  const dy = random([batch, 2048])
  await measure('global average, gradient', 2 * bytes(pooled), () =>
    tf.grad((x) => tf.mean(x, [1, 2]))(features, dy),
  )
  tf.dispose([features, dy])
  const logits = random([batch, 257])
  await measure('softmax', 2 * bytes([batch, 257]), () => tf.softmax(logits))
  await measure('logSumExp', bytes([batch, 257]), () => tf.logSumExp(logits, 1))
  const target = random([batch, 257])
  await measure('mean squared error, gradient', 4 * bytes([batch, 257]), () =>
    tf.grad((x) => tf.losses.meanSquaredError(target, x))(logits),
  )
  tf.dispose([logits, target])
}

console.log('\npooling')
{
  const shape = shapeOf([112, 64])
  const out = [batch, shape[1] / 2, shape[2] / 2, 64]
  const [x, dy] = [random(shape), random(out)] as tf.Tensor4D[]
  const max = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 3, 2, 'same')
  const average = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid')
  await measure('max pool', bytes(shape, out), () => max(x))
  await measure('max pool, gradient', 3 * bytes(shape) + 3 * bytes(out), () => tf.grad(max)(x, dy))
  await measure('average pool', bytes(shape, out), () => average(x))
  await measure('average pool, gradient', 2 * bytes(shape) + 2 * bytes(out), () => tf.grad(average)(x, dy))
  tf.dispose([x, dy])
}

await warmUp()
console.log('\noptimisers, all variables of ResNet-50')
{
  const net = small ? createResNet(18) : createResNet(50)
  const gradients = net.variables.map(({ name, shape }) => ({ name, tensor: random(shape) }))
  const size = bytes(...net.variables.map(({ shape }) => shape))
  for (const [name, optimizer, passes] of [
    ['adam', tf.train.adam(1e-3), 7],
    ['sgd', tf.train.sgd(1e-3), 3],
    ['momentum', tf.train.momentum(1e-3, 0.9), 5],
  ] as const) {
    await measure(`${name}, ${net.variables.length} variables`, passes * size, () =>
      optimizer.applyGradients(gradients),
    )
    optimizer.dispose()
  }
}
process.exit(0)
