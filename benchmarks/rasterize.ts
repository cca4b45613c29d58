/** How long the rasterizer takes on one mesh: a 189 x 189 grid on the front of a sphere, 70,688 triangles, seen at 224 x 224;
 * and whether its pictures and gradients are those of the cpu backend.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/rasterize.ts [webgpu|wasm|cpu] [batch] [grid] [size]
 *
 * On a CPU, one picture against a plain loop in JavaScript, and how the time grows: benchmarks/rasterize-cpu.ts.
 */
import { assertHealthy, initEngine } from '@facekit/engine'
import { createTopology } from '@facekit/mesh'
import { type Fragments, antialias, interpolate, rasterize } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'
import { curtains, sphere, type Mesh } from './rasterizer-meshes.js'

const [backend = 'webgpu', batch = '32', grid = '189', size = '224'] = process.argv.slice(2)
const [B, side, pixels] = [batch, grid, size].map(Number)
const picture = { width: pixels, height: pixels }
const channels = 9

function scene(mesh: Mesh, items: number) {
  const numbers = (length: number, step: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(i * step))
  const clip = tf.tile(tf.tensor3d(mesh.clip, [1, mesh.count, 4]), [items, 1, 1])
  const attributes = tf.tensor3d(numbers(mesh.count * channels, 0.37), [1, mesh.count, channels])
  const upstream = tf.tensor4d(numbers(pixels * pixels * channels, 0.11), [1, pixels, pixels, channels])
  const topology = createTopology(mesh.triangles, mesh.count)
  const render = (x: tf.Tensor, a: tf.Tensor, smooth: boolean): [tf.Tensor4D, Fragments] => {
    const fragments = rasterize(x as tf.Tensor3D, mesh.triangles, picture)
    const image = interpolate(a as tf.Tensor3D, fragments, mesh.triangles)
    return [smooth ? antialias(image, fragments, x as tf.Tensor3D, topology) : image, fragments]
  }
  const weights = tf.tile(upstream, [items, 1, 1, 1])
  const gradients = (smooth: boolean) =>
    tf.valueAndGrads((x: tf.Tensor, a: tf.Tensor) => render(x, a, smooth)[0])([clip, attributes], weights)
  return { clip, render, gradients, attributes }
}

async function compare(name: string, mesh: Mesh): Promise<void> {
  const run = async (on: string) => {
    await initEngine({ backend: on as 'cpu' })
    const { clip, render, gradients, attributes } = scene(mesh, 2)
    const { triangleIds, barycentrics, depth } = render(clip, attributes, false)[1]
    const { value, grads } = gradients(true)
    return Promise.all([triangleIds, depth, barycentrics, value, ...grads].map((t) => t.data<'float32'>()))
  }
  const [expected, actual] = [await run('cpu'), await run(backend)]
  await assertHealthy()
  const different = expected[0].reduce((sum, id, q) => sum + (id === actual[0][q] ? 0 : 1), 0)
  const covered = expected[0].reduce((sum, id) => sum + (id < 0 ? 0 : 1), 0)
  const holes = expected[0].reduce((sum, id, q) => sum + (id < 0 === actual[0][q] < 0 ? 0 : 1), 0)
  const again = await run(backend)
  const same = again.every((values, k) => values.every((value, i) => Object.is(value, actual[k][i])))
  console.log(
    `${name}: ${covered} pixels covered, ${different} other indices than on cpu, ${holes} covered on one only; ${same ? 'the same bits when repeated' : 'NOT THE SAME WHEN REPEATED'}`,
  )
  for (const [k, what] of [
    '',
    'depth',
    'barycentrics',
    'picture',
    'vertex gradient',
    'attribute gradient',
  ].entries()) {
    if (k === 0) continue
    let [worst, total, norm] = [0, 0, 0]
    expected[k].forEach((value, i) => {
      const stride = expected[k].length / expected[0].length
      // Pixels of another triangle show other numbers: only their gradients are compared.
      if (k < 4 && expected[0][Math.floor(i / stride)] !== actual[0][Math.floor(i / stride)]) return
      worst = Math.max(worst, Math.abs(value - actual[k][i]))
      total += (value - actual[k][i]) ** 2
      norm += value ** 2
    })
    console.log(
      `  ${what}: largest difference ${worst.toExponential(1)}, relative ${Math.sqrt(total / norm).toExponential(1)}`,
    )
  }
}

/** Median wall time of a run in ms, the GPU kept busy. */
async function time(name: string, f: () => void): Promise<void> {
  const gpu = backend === 'webgpu'
  const round = async (count: number) => {
    const start = performance.now()
    for (let i = 0; i < count; i++) tf.tidy(f)
    await assertHealthy()
    return (performance.now() - start) / count
  }
  // An idle GPU clocks down.
  for (const start = performance.now(); performance.now() - start < (gpu ? 1000 : 200);)
    await round(gpu ? 10 : 1)
  const times: number[] = []
  for (let i = 0; i < 11; i++) times.push(await round(gpu ? 30 : 1))
  const median = times.sort((a, b) => a - b)[5]
  const inKernels = gpu ? (await tf.time(() => tf.tidy(f))).kernelMs : undefined
  const suffix = typeof inKernels === 'number' ? `, of it in GPU programs ${inKernels.toFixed(2)}` : ''
  console.log(`${name.padEnd(56)} ${median.toFixed(2).padStart(8)} ms${suffix}`)
}

const [mesh, walls] = [sphere(side), curtains(200)]
await compare('sphere', mesh)
await compare('200 screen-filling triangles', walls)
const engine = await initEngine({ backend: backend as 'cpu' })
console.log(
  `${engine.backend}: ${engine.reason}; batch ${B}, ${mesh.triangles.length / 3} triangles, ${pixels} x ${pixels}`,
)
const { clip, attributes, render, gradients } = scene(mesh, B)
await time('rasterize, forward', () => void rasterize(clip, mesh.triangles, picture))
await time('rasterize + interpolate 9, forward', () => void render(clip, attributes, false))
await time('rasterize + interpolate 9, forward + backward', () => void gradients(false))
await time('rasterize + interpolate 9 + antialias, forward', () => void render(clip, attributes, true))
await time('rasterize + interpolate 9 + antialias, forward + backward', () => void gradients(true))
const large = scene(walls, B)
await time(
  '200 screen-filling triangles: rasterize, forward',
  () => void rasterize(large.clip, walls.triangles, picture),
)
await time('200 screen-filling triangles: all, forward + backward', () => void large.gradients(true))
process.exit(0)
