/** How long the rasterizer takes on WebGPU, and how that grows with pictures, pixels and triangles.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/rasterize-webgpu.ts [base] [scaling] [extremes] [memory] [kernels]
 *
 * All of it without arguments, but for the times of single kernels. Wall times are medians of rounds of 20 runs that are issued as a
 * whole: through tfjs, and as a recorded step (`recordStep`). GPU times are sums over the kernels, each timed alone. SMALL=1 for GPUs
 * made of software. Whether pictures and gradients are those of the cpu backend: benchmarks/rasterize.ts.
 */
import { recordStep } from '@facekit/kernels'
import { createTopology } from '@facekit/mesh'
import { type Fragments, antialias, interpolate, rasterize } from '@facekit/rasterizer'
import { assertHealthy, initEngine } from '@facekit/engine'
import * as tf from '@tensorflow/tfjs-core'
import { crowd, curtains, fan, shards, sphere, type Mesh } from './rasterizer-meshes.js'

const small = process.env.SMALL !== undefined
const parts = process.argv.slice(2).filter((part) => part !== 'kernels')
const wants = (part: string) => parts.length === 0 || parts.includes(part)
const listKernels = process.argv.includes('kernels')
const channels = 9
const [batch, size, side] = small ? [2, 48, 21] : [32, 224, 189]

interface Scene {
  raster(): void
  render(smooth: boolean): void
  gradients(smooth: boolean): void
  dispose(): void
}

/** Pictures of a mesh, of nine attributes that all pictures share. */
function scene(mesh: Mesh, items = batch, pixels = size): Scene {
  const picture = { width: pixels, height: pixels }
  const numbers = (length: number, step: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(i * step))
  const clip = tf.tidy(() => tf.tile(tf.tensor3d(mesh.clip, [1, mesh.count, 4]), [items, 1, 1]))
  const attributes = tf.tensor3d(numbers(mesh.count * channels, 0.37), [1, mesh.count, channels])
  const weights = numbers(pixels * pixels * channels, 0.11)
  const upstream = tf.tidy(() =>
    tf.tile(tf.tensor4d(weights, [1, pixels, pixels, channels]), [items, 1, 1, 1]),
  )
  const topology = createTopology(mesh.triangles, mesh.count)
  const render = (x: tf.Tensor, a: tf.Tensor, smooth: boolean): tf.Tensor4D => {
    const fragments: Fragments = rasterize(x as tf.Tensor3D, mesh.triangles, picture)
    const image = interpolate(a as tf.Tensor3D, fragments, mesh.triangles)
    return smooth ? antialias(image, fragments, x as tf.Tensor3D, topology) : image
  }
  return {
    raster: () => void rasterize(clip, mesh.triangles, picture),
    render: (smooth) => void render(clip, attributes, smooth),
    gradients: (smooth) =>
      void tf.valueAndGrads((x: tf.Tensor, a: tf.Tensor) => render(x, a, smooth))(
        [clip, attributes],
        upstream,
      ),
    dispose: () => tf.dispose([clip, attributes, upstream]),
  }
}

/** Median wall time of a run in ms. */
async function wallTime(run: () => void): Promise<number> {
  const round = async (count: number) => {
    const start = performance.now()
    for (let i = 0; i < count; i++) run()
    await assertHealthy()
    return (performance.now() - start) / count
  }
  await round(1)
  // An idle GPU clocks down.
  for (const start = performance.now(); performance.now() - start < (small ? 1 : 300);) await round(5)
  const times: number[] = []
  for (let i = 0; i < (small ? 1 : 9); i++) times.push(await round(small ? 1 : 20))
  return times.sort((a, b) => a - b)[times.length >> 1]
}

async function time(name: string, run: () => void): Promise<void> {
  const wall = await wallTime(() => tf.tidy(run))
  const step = recordStep((): tf.TensorContainerObject => {
    run()
    return {}
  })
  for (let i = 0; i < 4; i++) step()
  const recorded = await wallTime(() => void step())
  let kernels = await step.profile()
  const sum = (times: typeof kernels) => times.reduce((total, { milliseconds }) => total + milliseconds, 0)
  for (let i = 0; i < (small ? 0 : 5); i++) {
    const again = await step.profile()
    if (sum(again) < sum(kernels)) kernels = again
  }
  step.dispose()
  const columns = [wall, recorded, sum(kernels)].map((ms) => ms.toFixed(3).padStart(9)).join('')
  console.log(`${name.padEnd(52)}${columns}`)
  if (!listKernels) return
  for (const { name: kernel, count, milliseconds } of kernels) {
    console.log(
      `    ${`${count} x`.padStart(4)} ${kernel.padEnd(46)}${(milliseconds * 1000).toFixed(1).padStart(8)} us`,
    )
  }
}

async function timeBoth(name: string, made: Scene): Promise<void> {
  await time(`${name}: rasterize`, made.raster)
  await time(`${name}: all, with gradients`, () => made.gradients(true))
  made.dispose()
}

const { reason } = await initEngine({ backend: 'webgpu' })
console.log(`${reason}; ms: wall, wall of a recorded step, GPU`)
const mesh = sphere(side)
console.log(
  `batch ${batch}, ${mesh.triangles.length / 3} triangles, ${size} x ${size}, ${channels} attributes`,
)

if (wants('memory')) {
  const made = scene(mesh)
  const megabytes = () => {
    const { numBytesInGPU, numBytesAllocatedInGPU } = tf.memory() as unknown as Record<string, number>
    return [numBytesInGPU, numBytesAllocatedInGPU].map((bytes) => (bytes / 2 ** 20).toFixed(0))
  }
  const [held] = megabytes()
  tf.tidy(made.raster)
  const [, forward] = megabytes()
  tf.tidy(() => made.gradients(true))
  const [, all] = megabytes()
  console.log(
    `memory, MiB: ${held} of the scene; allocated after rasterize ${forward}, after all with gradients ${all}`,
  )
  made.dispose()
}
if (wants('base')) {
  const made = scene(mesh)
  await time('rasterize', made.raster)
  await time('rasterize + interpolate', () => made.render(false))
  await time('rasterize + interpolate, with gradients', () => made.gradients(false))
  await time('rasterize + interpolate + antialias', () => made.render(true))
  await time('rasterize + interpolate + antialias, with gradients', () => made.gradients(true))
  made.dispose()
}
if (wants('scaling')) {
  const sizes = small ? [24, 48] : [112, 224, 448]
  for (const items of small ? [1, 2] : [1, 8, 16, 32, 64])
    await timeBoth(`batch ${items}`, scene(mesh, items))
  for (const pixels of sizes) await timeBoth(`${pixels} x ${pixels}`, scene(mesh, batch, pixels))
  for (const cells of small ? [11, 21] : [95, 134, 189, 267]) {
    const finer = sphere(cells)
    await timeBoth(`${finer.triangles.length / 3} triangles`, scene(finer))
  }
}
if (wants('extremes')) {
  const [few, many, masses] = small ? [10, 20, 50] : [200, 2000, 20000]
  await timeBoth(`${few} triangles that fill the picture`, scene(curtains(few)))
  await timeBoth(`${many} large triangles at random`, scene(shards(many)))
  await timeBoth(`${masses} triangles in a pixel`, scene(crowd(masses)))
  await timeBoth(`${many} triangles around a vertex`, scene(fan(many)))
}
process.exit(0)
