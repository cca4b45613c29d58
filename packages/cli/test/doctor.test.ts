import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { run } from './run-in-process.js'

interface Report {
  ok: boolean
  backend: string
  backends: {
    backend: string
    available: boolean
    remedy?: string
    memory?: { bytes: number }
    speed?: Record<'matMul' | 'conv2d' | 'add', number>
  }[]
  weights: { file: string; learnedFrom: string }[]
}

describe('facekit doctor', () => {
  it('value: reports Node, networks and the model, and of each backend memory and speed or a remedy', async () => {
    const { code, stdout } = await run(['doctor', '--json'])
    const report = JSON.parse(stdout) as Report
    expect([code, report.ok]).toEqual([0, true])
    expect(report.backends.map(({ backend }) => backend)).toEqual(['tensorflow', 'webgpu', 'wasm', 'cpu'])
    for (const { backend, available, remedy, memory, speed } of report.backends) {
      const measured = memory !== undefined && speed !== undefined
      const advised = available || remedy !== undefined
      expect({ backend, measured, advised }).toEqual({ backend, measured: available, advised: true })
      expect(Object.values(speed ?? {}).every((value) => value > 0)).toBe(true)
    }
    const wasm = report.backends.find(({ backend }) => backend === 'wasm')
    expect(Object.keys(wasm?.speed ?? {})).toEqual(['matMul', 'conv2d', 'add'])
    // It says of every file of weights that ships where it comes from, and of none that does not.
    const packages = fileURLToPath(new URL('../..', import.meta.url))
    const files: string[] = []
    const folders = ['annotate/weights', 'base-model/data', 'regressor-weights/weights', 'regressor-weights-resnet50/weights'] // prettier-ignore
    for (const folder of folders) {
      const names = (await readdir(`${packages}/${folder}`)).filter((name) => name.endsWith('.safetensors'))
      files.push(...names.map((name) => `packages/${folder}/${name}`))
    }
    const told = report.weights.map(({ file }) => file).filter((file) => file.endsWith('.safetensors'))
    expect(told.sort()).toEqual(files.sort())
  }, 60_000)

  it('value: without speeds, for people', async () => {
    const { stdout } = await run(['doctor', '--no-speed'])
    expect(stdout).toMatch(/yes {2}node .*backends, the fastest first.*Faces can be reconstructed here\./s)
    expect(stdout).toMatch(/yes {2}wasm .*memory: 4\.0 GiB, the limit of WebAssembly/s)
    expect(stdout).not.toContain('GFLOP')
  }, 60_000)
})
