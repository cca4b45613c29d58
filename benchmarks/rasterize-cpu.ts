/** How fast the rasterizer is on one core: one picture beside a plain loop in JavaScript, how the time grows with pictures, pixels
 * and triangles, and each operation forward and backward.
 *
 *   node --conditions=@facekit/source --import tsx benchmarks/rasterize-cpu.ts [wasm|cpu] [rounds]
 *
 * All that a table compares runs in turns, and the least time of many rounds counts: what else the machine does matters little. The
 * loop (../shared/probes/rasterize-cpu.mjs, left out where it is missing) takes 0.63 of the time of a C++ rasterizer on this mesh,
 * measured elsewhere.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { initEngine } from '@facekit/engine'
import { createTopology } from '@facekit/mesh'
import { antialias, interpolate, interpolateDerivatives, rasterize, sampleTexture } from '@facekit/rasterizer'
import * as tf from '@tensorflow/tfjs-core'

const [backend = 'wasm', rounds = '200'] = process.argv.slice(2)
const probeFile = new URL('../../shared/probes/rasterize-cpu.mjs', import.meta.url)
const probeOfCpp = 0.63

interface Case {
  name: string
  run: () => void
}

/** Least time of each case in ms, in turns. */
function leastTimes(cases: readonly Case[], count = Number(rounds)): number[] {
  const least = cases.map(() => Infinity)
  for (let round = 0; round < count; round++) {
    cases.forEach(({ run }, i) => {
      const start = performance.now()
      run()
      least[i] = Math.min(least[i], performance.now() - start)
    })
  }
  return least
}

/** A grid on the front of a sphere, as in benchmarks/rasterize.ts. */
function sphere(side: number, batch: number) {
  const clip: number[] = []
  const triangles: number[] = []
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const u = -1.2 + (2.4 * i) / (side - 1)
      const v = -1.2 + (2.4 * j) / (side - 1)
      const z = Math.cos(u) * Math.cos(v) - 5
      clip.push(Math.sin(u) * Math.cos(v) * 3.2, Math.sin(v) * 3.2, -z * 1.02 - 0.2, -z)
    }
  }
  for (let j = 0; j < side - 1; j++) {
    for (let i = 0; i < side - 1; i++) {
      const a = j * side + i
      triangles.push(a, a + 1, a + side, a + 1, a + 1 + side, a + side)
    }
  }
  const one = tf.tensor3d(clip, [1, side * side, 4])
  return { clip: tf.tile(one, [batch, 1, 1]), count: side * side, triangles: Int32Array.from(triangles) }
}

const renderCase = (side: number, batch: number, size: number): Case => {
  const { clip, triangles } = sphere(side, batch)
  return {
    name: `${batch} x ${triangles.length / 3} triangles at ${size} x ${size}`,
    run: () => tf.dispose({ ...rasterize(clip, triangles, { width: size, height: size }) }),
  }
}

/** The probe's loop: the file without what it measures itself. */
async function loadProbe(): Promise<Case | undefined> {
  if (!existsSync(probeFile)) return undefined
  const [source] = (await readFile(probeFile, 'utf8')).split('let cov;')
  const exported = `data:text/javascript,${encodeURIComponent(`${source}\nexport { ras }`)}`
  const { ras } = (await import(exported)) as { ras: () => number }
  return { name: 'plain JavaScript (the probe)', run: () => void ras() }
}

const title = (text: string) => console.log(`\n${text}`)
const line = (name: string, ms: number, note = '') =>
  console.log(`${name.padEnd(58)} ${ms.toFixed(3).padStart(9)} ms  ${note}`)

const engine = await initEngine({ backend: backend as 'cpu' })
console.log(`${engine.backend}; least of ${rounds} rounds`)

const probe = await loadProbe()
const ours = renderCase(189, 1, 224)
title('One picture, 35,721 vertices, 70,688 triangles, 224 x 224, forward')
if (probe === undefined) {
  line(ours.name, leastTimes([ours])[0])
  console.log('../shared/probes/rasterize-cpu.mjs is missing: no comparison')
} else {
  const [own, other] = leastTimes([ours, probe])
  line(probe.name, other)
  line(
    ours.name,
    own,
    `${(own / other).toFixed(2)} x the probe, so about ${((own / other) * probeOfCpp).toFixed(2)} x C++`,
  )
}

title('Growth: each line four times the work of the line before')
const tables: [string, Case[]][] = [
  ['pictures', [1, 4, 16].map((batch) => renderCase(95, batch, 112))],
  ['pixels', [112, 224, 448, 896].map((size) => renderCase(24, 1, size))],
  ['triangles', [48, 95, 189, 377].map((side) => renderCase(side, 1, 112))],
]
for (const [what, cases] of tables) {
  console.log(what)
  const times = leastTimes(cases, Math.ceil(Number(rounds) / 4))
  cases.forEach(({ name }, i) =>
    line(`  ${name}`, times[i], i > 0 ? `x ${(times[i] / times[i - 1]).toFixed(1)}` : ''),
  )
}

title('Each operation: 17,672 triangles, 224 x 224, 9 channels, a texture of 512 x 512; by kernel')
const mesh = sphere(95, 1)
const size = { width: 224, height: 224 }
const waves = (length: number, step: number) => Float32Array.from({ length }, (_, i) => Math.sin(i * step))
const attributes = tf.tensor3d(waves(mesh.count * 9, 0.37), [1, mesh.count, 9])
const corners = tf.tensor3d(
  waves(mesh.count * 2, 0.011).map((v) => 0.5 + v / 2),
  [1, mesh.count, 2],
)
const texture = tf.tensor4d(waves(512 * 512 * 3, 0.7), [1, 512, 512, 3])
const topology = createTopology(mesh.triangles, mesh.count)
const kernels = new Map<string, number>()
for (const kernel of tf.getKernelsForBackend(tf.getBackend())) {
  if (!kernel.kernelName.startsWith('Facekit')) continue
  tf.unregisterKernel(kernel.kernelName, tf.getBackend())
  registerTimed(kernel)
}

/** Registers a kernel that notes the least time it took. */
function registerTimed(kernel: tf.KernelConfig): void {
  tf.registerKernel({
    ...kernel,
    kernelFunc: (call) => {
      const start = performance.now()
      const result = kernel.kernelFunc(call)
      const time = performance.now() - start
      kernels.set(kernel.kernelName, Math.min(kernels.get(kernel.kernelName) ?? Infinity, time))
      return result
    },
  })
}

const render = (clip: tf.Tensor, values: tf.Tensor) => {
  const fragments = rasterize(clip as tf.Tensor3D, mesh.triangles, size)
  const picture = interpolate(values as tf.Tensor3D, fragments, mesh.triangles)
  return tf.sum(antialias(picture, fragments, clip as tf.Tensor3D, topology)) as tf.Scalar
}
const renderTexture = (filter: 'bilinear' | 'trilinear') => (texels: tf.Tensor, places: tf.Tensor) => {
  const fragments = rasterize(mesh.clip as tf.Tensor3D, mesh.triangles, size)
  const uv = interpolate(places as tf.Tensor3D, fragments, mesh.triangles)
  const uvDerivatives =
    filter === 'bilinear'
      ? undefined
      : interpolateDerivatives(places as tf.Tensor3D, fragments, mesh.clip as tf.Tensor3D, mesh.triangles)
  return tf.sum(sampleTexture(texels as tf.Tensor4D, uv, { filter, uvDerivatives })) as tf.Scalar
}
const whole: Case[] = [
  {
    name: 'rasterize + interpolate 9 + antialias, forward + backward',
    run: () => tf.tidy(() => void tf.grads(render)([mesh.clip, attributes])),
  },
  {
    name: 'rasterize + bilinear texture, forward + backward',
    run: () => tf.tidy(() => void tf.grads(renderTexture('bilinear'))([texture, corners])),
  },
  {
    name: 'rasterize + trilinear texture, forward + backward',
    run: () => tf.tidy(() => void tf.grads(renderTexture('trilinear'))([texture, corners])),
  },
]
// The first run registers kernels that were not there yet; then those are timed, too.
for (const { run } of whole) run()
for (const kernel of tf.getKernelsForBackend(tf.getBackend())) {
  if (!kernel.kernelName.startsWith('Facekit') || kernels.has(kernel.kernelName)) continue
  tf.unregisterKernel(kernel.kernelName, tf.getBackend())
  registerTimed(kernel)
}
leastTimes(whole, Math.ceil(Number(rounds) / 4)).forEach((time, i) => line(whole[i].name, time))
for (const [name, time] of [...kernels].sort(([, a], [, b]) => b - a))
  line(`  ${name.slice('Facekit'.length)}`, time)
process.exit(0)
