// Time and memory of loading a model of full size: HDF5 in the Basel layout with 53,149 vertices, 199 + 100 modes of shape and
// 199 of colour. Each run is a process of its own, so that its peak memory is that of the loading.
//
//   node --conditions=@facekit/source --import tsx benchmarks/load-model.ts [file.h5, written to a temporary folder by default]
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const variants = ['statismo', 'basel', 'basel-80', 'albedo'] as const
type Variant = (typeof variants)[number]

const file = process.argv[2] ?? join(tmpdir(), 'facekit-benchmark', 'basel-like.h5')
const variant = process.env.VARIANT as Variant | undefined

if (variant) {
  const { readAlbedoModel, readBaselFaceModel, readStatismoModel } = await import('@facekit/morphable')
  const { loadBaseModel } = await import('@facekit/base-model')
  const template = await loadBaseModel()
  // Linux: the largest resident size of this process alone; what getrusage gives begins with the parent's.
  const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0)
  const before = peak()
  const started = performance.now()
  const cpu = process.cpuUsage()
  const run = {
    statismo: () => readStatismoModel(file),
    basel: () => readBaselFaceModel(file, { template }),
    'basel-80': () =>
      readBaselFaceModel(file, { template, identityModes: 80, expressionModes: 64, albedoModes: 80 }),
    albedo: () => readAlbedoModel(file.replace(/\.h5$/, '-albedo.h5')),
  }[variant]
  const model = await run()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const vertices = 'vertexCount' in model ? model.vertexCount : model.shape.mean.shape[0]
  console.log(
    `${variant.padEnd(10)} ${seconds.toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of CPU on all threads), peak ${Math.round(peak() / 1024)} MB (${Math.round(before / 1024)} before), ${vertices} vertices`,
  )
} else {
  const { writeBaselLike } = await import('./basel-like-file.js')
  await writeBaselLike(file)
  console.log(`${file}: ${(statSync(file).size / 1e6).toFixed(0)} MB`)
  readFileSync(file) // so that all find it in the system's cache
  for (const name of variants) {
    spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), file], {
      stdio: 'inherit',
      env: { ...process.env, VARIANT: name },
    })
  }
}
