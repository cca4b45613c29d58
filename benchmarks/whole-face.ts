/** How long a whole face takes on a GPU, forward and with the gradient of every parameter: 199 + 100 + 145 coefficients, 35,721
 * vertices, a batch of 32, 224 x 224, pose, normals, spherical harmonics, Blinn-Phong, rasterizer, L2 loss. Then the share of each
 * kernel, and how the time grows.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/whole-face.ts [webgpu|wasm|cpu]
 *
 * `forward` and `both` are issued operation by operation, `recorded` by `recordStep`. SMALL=1 takes a mesh of 31 x 31, small pictures and few coefficients, to try the script itself.
 */
import { createRandom } from '@facekit/core'
import {
  type FaceParameters,
  neutralParameters,
  parametersFromTensors,
  parameterTensors,
} from '@facekit/parameters'
import { initEngine, recordStep, type RecordedStep } from '@facekit/engine'
import { disposeModel, sampleCoefficients, type MorphableModel } from '@facekit/morphable'
import { renderFace, type RenderFaceOptions } from '@facekit/render'
import * as tf from '@tensorflow/tfjs-core'
import ndarray from 'ndarray'

const small = process.env.SMALL === '1'
const [backendName = 'webgpu'] = process.argv.slice(2).filter((word) => !word.startsWith('--'))
await initEngine({ backend: backendName as 'webgpu' })
const warmUp = small ? 0.02 : 0.6

interface Size {
  side: number
  batch: number
  pixels: number
  coefficients: { identity: number; expression: number; albedo: number }
}

/** A grid on the front of a sphere, with random modes. */
function syntheticModel({ side, coefficients }: Size): MorphableModel {
  const count = side * side
  const random = createRandom(1)
  const mean = new Float32Array(count * 3)
  const triangles: number[] = []
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const u = -1.2 + (2.4 * i) / (side - 1)
      const v = -1.2 + (2.4 * j) / (side - 1)
      const point = [Math.sin(u) * Math.cos(v), Math.sin(v), Math.cos(u) * Math.cos(v) - 0.5]
      mean.set(
        point.map((x) => 72 * x),
        (j * side + i) * 3,
      )
      const a = j * side + i
      if (i + 1 < side && j + 1 < side) triangles.push(a, a + 1, a + side, a + 1, a + 1 + side, a + side)
    }
  }
  const modes = (n: number, amplitude: number) =>
    ndarray(
      Float32Array.from({ length: n * count * 3 }, () => random.uniform(-amplitude, amplitude)),
      [n, count, 3],
    )
  const colour = (value: number) => ndarray(new Float32Array(count * 3).fill(value), [count, 3])
  return {
    name: `sphere-${side}`,
    license: 'Apache-2.0',
    origin: 'procedural',
    vertexCount: count,
    triangles: Int32Array.from(triangles),
    landmarks: Int32Array.from({ length: 68 }, (_, i) => Math.floor(((i + 0.5) * count) / 68)),
    innerMouthTriangles: new Int32Array(0),
    shape: {
      mean: ndarray(mean, [count, 3]),
      identity: modes(coefficients.identity, 0.02),
      expression: modes(coefficients.expression, 0.02),
    },
    albedo: {
      diffuseMean: colour(0.4),
      diffuse: modes(coefficients.albedo, 0.01),
      specularMean: colour(0.1),
      specular: modes(coefficients.albedo, 0.002),
    },
    layout: coefficients,
  }
}

function parametersOf(model: MorphableModel, batch: number): FaceParameters {
  const neutral = neutralParameters(model.layout, batch)
  return {
    ...neutral,
    ...sampleCoefficients(model.layout, { batch, seed: 1, deviation: 0.3 }),
    pose: { ...neutral.pose, rotation: tf.randomUniform([batch, 3], -0.2, 0.2, 'float32', 1) as tf.Tensor2D },
    illumination: {
      ...neutral.illumination,
      lightPosition: tf.add(tf.zeros([batch, 3]), [150, 200, 900]) as tf.Tensor2D,
      lightColor: tf.add(tf.zeros([batch, 3]), [0.9, 0.8, 0.7]) as tf.Tensor2D,
    },
  }
}

interface Job {
  forward(): tf.Tensor
  step(): tf.Tensor[]
  dispose(): void
}

function createJob(model: MorphableModel, size: Size, changes: Partial<RenderFaceOptions> = {}): Job {
  const parameters = parametersOf(model, size.batch)
  const options: RenderFaceOptions = { width: size.pixels, height: size.pixels, ...changes }
  const tensors = parameterTensors(parameters)
  const target = tf.randomUniform([size.batch, size.pixels, size.pixels, 3], 0, 1, 'float32', 2)
  const loss = (...inputs: tf.Tensor[]) =>
    tf.mean(
      tf.square(tf.sub(renderFace(model, parametersFromTensors(inputs), options).image, target)),
    ) as tf.Scalar
  const gradients = tf.valueAndGrads(loss)
  return {
    forward: () => tf.tidy(() => loss(...tensors)),
    step: () =>
      tf.tidy(() => {
        const { value, grads } = gradients(tensors)
        return [value, ...grads]
      }),
    dispose: () => tf.dispose([tensors, target]),
  }
}

/** Milliseconds of a repetition when many are issued and the last is waited for, and of issuing it. */
async function time(
  f: () => tf.Tensor | tf.Tensor[],
  seconds = 0.5,
  warm = warmUp,
): Promise<[total: number, issue: number]> {
  const round = async (count: number) => {
    const start = performance.now()
    let last: tf.Tensor | tf.Tensor[] = []
    for (let i = 0; i < count; i++) {
      tf.dispose(last)
      last = f()
    }
    const issued = performance.now() - start
    await Promise.all((Array.isArray(last) ? last : [last]).map((t) => t.data()))
    tf.dispose(last)
    return [(performance.now() - start) / count, issued / count]
  }
  const start = performance.now()
  let estimate = (await round(1))[0]
  while (performance.now() - start < 1000 * warm) [estimate] = await round(3)
  const rounds: number[][] = []
  const count = small ? 1 : Math.max(1, Math.min(50, Math.ceil((1000 * seconds) / 5 / estimate)))
  for (let i = 0; i < (small ? 1 : 5); i++) rounds.push(await round(count))
  rounds.sort(([a], [b]) => a - b)
  return rounds[rounds.length >> 1] as [number, number]
}

const show = (ms: number) => ms.toFixed(2).padStart(8)

/** Dispatches of the GPU while a function runs. */
async function countDispatches(f: () => tf.Tensor | tf.Tensor[]): Promise<number> {
  const { device } = tf.backend() as unknown as { device?: GPUDevice }
  if (!device) return 0
  const pass = device.createCommandEncoder().beginComputePass()
  const prototype = Object.getPrototypeOf(pass) as GPUComputePassEncoder
  const { dispatchWorkgroups } = prototype
  let count = 0
  prototype.dispatchWorkgroups = function (...sizes) {
    count++
    return dispatchWorkgroups.apply(this, sizes)
  }
  try {
    const result = f()
    await Promise.all((Array.isArray(result) ? result : [result]).map((t) => t.data()))
    tf.dispose(result)
  } finally {
    prototype.dispatchWorkgroups = dispatchWorkgroups
  }
  return count
}

/** Time of each kernel of a step, on the GPU's own clock. */
async function breakdown(step: RecordedStep<[], tf.Tensor[]>): Promise<void> {
  const rows = await step.profile()
  console.log(`\n${'kernel (forward and backward)'.padEnd(48)} calls       ms`)
  for (const { name, count, milliseconds } of rows) {
    console.log(`${name.padEnd(48)} ${String(count).padStart(5)} ${milliseconds.toFixed(3).padStart(8)}`)
  }
  const total = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  console.log(`sum ${show(total)} ms in ${rows.reduce((sum, { count }) => sum + count, 0)} dispatches`)
}

const coefficients = small
  ? { identity: 9, expression: 5, albedo: 7 }
  : { identity: 199, expression: 100, albedo: 145 }
const full: Size = small
  ? { side: 31, batch: 2, pixels: 48, coefficients }
  : { side: 189, batch: 32, pixels: 224, coefficients }

async function row(name: string, model: MorphableModel, size: Size, changes?: Partial<RenderFaceOptions>) {
  const job = createJob(model, size, changes)
  const dispatches = [await countDispatches(job.forward), await countDispatches(job.step)]
  const [forward] = await time(job.forward)
  const [both, issue] = await time(job.step)
  const recorded = recordStep(job.step)
  for (let i = 0; i < 3; i++) tf.dispose(recorded())
  const [replayed] = await time(recorded)
  console.log(
    `${name.padEnd(34)} forward ${show(forward)}   both ${show(both)} (issue ${show(issue)})   recorded ${show(replayed)}   dispatches ${dispatches.join(', ')}`,
  )
  recorded.dispose()
  job.dispose()
}

console.log(`${backendName}; ms, median of rounds that are issued as a whole`)
const model = syntheticModel(full)
await row(`${full.side ** 2} vertices, batch ${full.batch}, ${full.pixels} px`, model, full)
await row('  without antialias', model, full, { antialias: false })
if (!process.argv.includes('--no-scaling')) {
  for (const batch of [1, 8, 16]) await row(`  batch ${batch}`, model, { ...full, batch })
  for (const pixels of [112, 448]) {
    await row(`  batch 8, ${pixels} px`, model, { ...full, batch: 8, pixels })
  }
  for (const side of [95, 134]) {
    const changed = { ...full, side: small ? side >> 2 : side }
    const other = syntheticModel(changed)
    await row(`  ${changed.side ** 2} vertices`, other, changed)
    disposeModel(other)
  }
}
const job = createJob(model, full)
const recorded = recordStep(job.step)
for (let i = 0; i < 3; i++) tf.dispose(recorded())
await time(recorded)
await breakdown(recorded)
recorded.dispose()
job.dispose()
