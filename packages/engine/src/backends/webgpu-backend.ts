import { engine, registerBackend, removeBackend } from '@tensorflow/tfjs-core'
import type { BackendProvider } from './backend-provider.js'
import type { AdapterReport, BackendReport, InitEngineOptions } from '../engine-info.js'
import { completeWebgpu } from '../webgpu/complete-webgpu.js'
import { createGpuBackend } from '../webgpu/backend/gpu-backend.js'
import type { GpuEngineBackend } from '../webgpu/backend/engine-backend.js'
import { lostReason, watchHealth, type Health } from './health.js'
import { isNode } from '../import-optional.js'
import { nodeWebgpu } from './node-webgpu.js'
import { MIXED_FEATURES, MIXED_FLAGS, noteUnits, unitsMissing } from './precision.js'

/** Names of adapters that compute on the CPU. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i

const UNASKED = 'the GPU was started without it: ask for precision "mixed" in the first call of initEngine'

/** The GPU, in Node through the npm package `webgpu`, in the browser through `navigator.gpu`. */
export const webgpuBackend: BackendProvider = {
  name: 'webgpu',
  probe: async (options) => {
    const { adapter, ...report } = await findAdapter(options)
    return { backend: 'webgpu', ...report, ...(adapter && { adapter: describe(adapter) }) }
  },
  start: async (options) => {
    const lost = lostReason('webgpu')
    if (lost !== undefined) throw new Error(`the device is lost (${lost}); start the program again`)
    if (engine().registry.webgpu) return {}
    const { adapter, reason } = await findAdapter(options)
    if (!adapter) throw new Error(reason)
    const missing = options.precision === 'mixed' ? unitsMissing(adapter) : UNASKED
    const device = await requestDevice(adapter, missing === undefined)
    // Only now: its kernels read constants that the npm package has just defined.
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
    completeWebgpu(device)
    const backend = createGpuBackend(WebGPUBackend, device, adapter.info, {
      onOutOfMemory: (message) => (health.failure ??= message),
    })
    const health = watchDevice(device, backend)
    watchHealth('webgpu', backend, health)
    // tfjs' own factory would make a second device, whose errors would go unnoticed.
    if (engine().registryFactory.webgpu) removeBackend('webgpu')
    noteUnits(backend, missing)
    registerBackend('webgpu', () => backend, 3)
    engine().registry.webgpu = backend
    return {}
  },
}

type Found = Pick<BackendReport, 'available' | 'reason' | 'remedy'> & { adapter?: GPUAdapter }

async function findAdapter({ dawnFlags = [], precision }: InitEngineOptions): Promise<Found> {
  const failed = (reason: string, remedy: string): Found => ({ available: false, reason, remedy })
  let gpu: GPU | undefined
  try {
    gpu = isNode()
      ? await nodeWebgpu([...dawnFlags, ...(precision === 'mixed' ? MIXED_FLAGS : [])])
      : globalThis.navigator?.gpu
  } catch (error) {
    const cause = String((error as Error).message).split('\n')[0]
    return failed(
      `the package webgpu cannot be loaded (${cause})`,
      'npm install webgpu, on a system that it supports',
    )
  }
  if (!gpu && isNode()) return failed('the package webgpu is not installed', 'npm install webgpu')
  if (!gpu)
    return failed('this browser has no WebGPU', 'use a current Chrome, Edge, Firefox or Safari, over HTTPS')
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) {
    const remedy = isNode()
      ? 'install a GPU driver with Vulkan (on Linux also libvulkan.so.1), Metal or Direct3D 12'
      : 'turn on hardware acceleration in the browser'
    return failed('WebGPU is here but finds no GPU', remedy)
  }
  const { description, device, vendor, architecture } = adapter.info
  return {
    available: true,
    reason: `GPU: ${description || device || architecture || vendor || 'unnamed'}`,
    adapter,
  }
}

function describe({ info }: GPUAdapter): AdapterReport {
  const { vendor, architecture, device, description } = info
  const software =
    info.isFallbackAdapter || SOFTWARE.test([vendor, architecture, device, description].join(' '))
  return { vendor, architecture, device, description, software }
}

async function requestDevice(adapter: GPUAdapter, mixed: boolean): Promise<GPUDevice> {
  const { limits, features } = adapter
  return adapter.requestDevice({
    requiredFeatures: [
      ...(['timestamp-query', 'bgra8unorm-storage'] as const).filter((name) => features.has(name)),
      ...(mixed ? (MIXED_FEATURES as readonly GPUFeatureName[]) : []),
    ],
    requiredLimits: {
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxBufferSize: limits.maxBufferSize,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    },
  })
}

/** Collects what WebGPU reports late. */
function watchDevice(device: GPUDevice, backend: GpuEngineBackend): Health {
  const untilLost = device.lost.then(({ reason, message }) => {
    health.lost = backend.lost = `${reason}: ${message.replaceAll(/\s+/g, ' ').trim()}`
  })
  const health: Health = {
    untilLost,
    settle: async () => {
      if (health.lost !== undefined) return
      // What tfjs has recorded but not yet handed over.
      backend.flush()
      // Errors of commands reach the device's error scopes in order: when this scope is answered, they have been told.
      device.pushErrorScope('validation')
      const answers = [device.popErrorScope(), device.queue.onSubmittedWorkDone()]
      await Promise.race([Promise.all(answers), health.untilLost])
      await new Promise((resolve) => setTimeout(resolve, 0))
    },
  }
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault()
    const message = event.error.message.replaceAll(/\s+/g, ' ').trim()
    // Pipelines and bind groups are labelled with the kernel that they belong to.
    const kernel = /(?:Pipeline|BindGroup|ShaderModule)\w* "+([^"]+)"/.exec(message)?.[1]
    health.failure ??= `${kernel === undefined ? 'a kernel' : `kernel ${kernel}`} failed: ${message}`
  })
  return health
}
