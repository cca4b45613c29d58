import { existsSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { BackendError } from '@facekit/core'
import { type GpuBackend, type GpuProgram, makeGpuTensor, runGpuProgram } from '@facekit/kernels'
import { assertHealthy, initEngine, inspectBackends, type EngineInfo } from '@facekit/engine'

// A software adapter, for machines without a GPU: Debian's package chromium has one. Read by the Vulkan loader.
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json'
if (!process.env.VK_DRIVER_FILES && existsSync(softwareDriver)) process.env.VK_DRIVER_FILES = softwareDriver

const reports = await inspectBackends()
const webgpu = reports.find(({ backend }) => backend === 'webgpu')!

describe.skipIf(!webgpu.available)('webgpu', () => {
  let engine: EngineInfo
  beforeAll(async () => {
    engine = await initEngine({ backend: 'webgpu' })
  })

  it('smoke: computes, and describes its adapter', async () => {
    expect(engine.backend).toBe('webgpu')
    expect(engine.reason).toMatch(/^GPU: ./)
    expect(typeof engine.adapter?.software).toBe('boolean')
    expect(await tf.tidy(() => tf.matMul([[1, 2]], [[3], [4]])).data()).toEqual(new Float32Array([11]))
    await assertHealthy()
  })

  it('value: auto leaves a software adapter alone', async () => {
    if (!engine.adapter?.software) return
    const info = await initEngine({ backend: 'auto', candidates: ['webgpu', 'cpu'] })
    expect(info.backend).toBe('cpu')
    expect(info.considered.map(({ backend }) => backend)).toEqual(['webgpu', 'cpu'])
    await initEngine({ backend: 'webgpu' })
  })

  it('value: sums of more tensors than a GPU has buffers', async () => {
    const sum = tf.tidy(() => tf.addN(Array.from({ length: 161 }, (_, i) => tf.tensor1d([i, 1]))))
    expect(await sum.data()).toEqual(new Float32Array([(160 * 161) / 2, 161]))
  })

  it('value: padding of six axes', async () => {
    const shape = [2, 1, 3, 2, 2, 2]
    const paddings: [number, number][] = [
      [0, 0],
      [1, 0],
      [0, 2],
      [0, 0],
      [1, 1],
      [0, 0],
    ]
    const values = Float32Array.from({ length: 48 }, (_, i) => i + 1)
    const pad = () => tf.tidy(() => tf.pad(tf.tensor(values, shape), paddings, 7))
    const onGpu = pad()
    const actual = await onGpu.data()
    await initEngine({ backend: 'cpu' })
    const expected = pad()
    expect(onGpu.shape).toEqual(expected.shape)
    expect(actual).toEqual(await expected.data())
    await initEngine({ backend: 'webgpu' })
  })

  it('value: sines and cosines to seven digits', async () => {
    const angles = Float32Array.from({ length: 400 }, (_, i) => (i - 200) * 0.137)
    for (const [onGpu, exact] of [
      [tf.sin, Math.sin],
      [tf.cos, Math.cos],
    ] as const) {
      const values = await tf.tidy(() => onGpu(tf.tensor2d(angles, [20, 20]))).data()
      const errors = Array.from(values, (value, i) => Math.abs(value - exact(angles[i])))
      expect(Math.max(...errors)).toBeLessThan(3e-7)
    }
  })

  it('throws: a tensor that is too large for the GPU', () => {
    expect(() => tf.tidy(() => tf.fill([2 ** 20, 2 ** 12], 1))).toThrow(BackendError)
    expect(() => tf.tidy(() => tf.fill([2 ** 20, 2 ** 12], 1))).toThrow(
      /17179869184 bytes .* takes \d+ at most/,
    )
  })

  it('throws: an error names the kernel', async () => {
    const program: GpuProgram = { name: 'broken_kernel', inputs: [], outputs: ['y: f32'], code: 'not WGSL' }
    const y = makeGpuTensor(tf.backend(), [1], 'float32')
    runGpuProgram(tf.backend(), program, { inputs: [], outputs: [y], workgroups: [1] })
    await expect(assertHealthy()).rejects.toThrow(/webgpu backend: kernel broken_kernel failed/)
    tf.backend().disposeData(y.dataId)
  })

  it('value: integers become floats in memory too', async () => {
    const x = tf.tidy(() =>
      tf.cast(tf.add(tf.tensor1d([1, 2], 'int32'), tf.tensor1d([0, 5], 'int32')), 'float32'),
    )
    const { tensorMap } = tf.backend() as unknown as GpuBackend
    expect(tensorMap.get(x.dataId).dtype).toBe('float32')
    expect(await x.data()).toEqual(new Float32Array([1, 7]))
  })

  it('memory: what is allocated stays near what is used', async () => {
    const backend = tf.backend() as unknown as { bufferManager: { peakBytes: number } }
    for (let i = 0; i < 12; i++) {
      // Every round has sizes of its own: without limits each would stay allocated, 400 MB in all.
      const size = Math.round(2 ** 20 * 1.12 ** i)
      tf.tidy(() => tf.add(tf.mul(tf.ones([size]), tf.ones([size])), tf.ones([size])))
    }
    const { numBytesAllocatedInGPU } = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU: number }
    expect(numBytesAllocatedInGPU).toBeLessThan(1.5 * backend.bufferManager.peakBytes + 2 ** 26)
    expect(backend.bufferManager.peakBytes).toBeLessThan(1.7e8)
    await assertHealthy()
  })

  it('value: large and small uploads, between kernels that use the same memory', async () => {
    const expected: number[] = []
    const sums: tf.Tensor[] = []
    for (let i = 0; i < 40; i++) {
      const size = i % 2 === 0 ? 300 : 20_000
      const values = new Float32Array(size).fill(i)
      sums.push(tf.tidy(() => tf.sum(tf.add(tf.tensor1d(values), tf.tensor1d(values)))))
      expected.push(2 * i * size)
    }
    const actual = await Promise.all(sums.map(async (sum) => (await sum.data())[0]))
    actual.forEach((value, i) => expect(value / Math.max(1, expected[i])).toBeCloseTo(i === 0 ? 0 : 1, 5))
    tf.dispose(sums)
  })

  it('throws: an invalid kernel reaches the next await as a BackendError, once', async () => {
    const fail = () => {
      const backend = tf.backend() as unknown as { device: GPUDevice }
      backend.device.createShaderModule({ code: 'this is not WGSL' })
    }
    fail()
    await expect(assertHealthy()).rejects.toThrow(BackendError)
    await assertHealthy()
    fail()
    const x = tf.add([1], [2])
    await expect(x.data()).rejects.toThrow(/webgpu backend: a kernel failed/)
    expect(await x.data()).toEqual(new Float32Array([3]))
  })
})

describe('inspectBackends', () => {
  it('value: reports every backend, with a remedy for what is missing', () => {
    expect(reports.map(({ backend }) => backend)).toEqual(['tensorflow', 'webgpu', 'wasm', 'cpu'])
    for (const { available, reason, remedy } of reports) {
      expect(reason).toMatch(/^[^\n]+$/)
      expect(available ? 'install nothing' : remedy).toMatch(/install|use/)
    }
    expect(reports.filter(({ available }) => available).map(({ backend }) => backend)).toEqual(
      expect.arrayContaining(['wasm', 'cpu']),
    )
  })

  it('value: leaves the current backend as it was', async () => {
    await initEngine({ backend: 'cpu' })
    await inspectBackends()
    expect(tf.getBackend()).toBe('cpu')
  })

  it.skipIf(reports[0].available)('throws: a missing backend says what to install, on one line', async () => {
    const missing = initEngine({ backend: 'tensorflow' })
    await expect(missing).rejects.toThrow(BackendError)
    await expect(missing).rejects.toThrow(
      /^initEngine: backend "tensorflow" .*; npm install @tensorflow\/tfjs-node/,
    )
    // What ran before still runs.
    expect(await tf.add([1], [2]).data()).toEqual(new Float32Array([3]))
  })
})
