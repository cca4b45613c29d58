import { engine } from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { registerConv2d } from './conv2d-forward.js'
import { conv2dFilterGradient } from './conv2d-filter-gradient.js'
import { registerConv2dInputGradient } from './conv2d-input-gradient.js'
import { registerCpuFallback } from './cpu-fallback.js'
import { silenceCpuBackend } from '../tfjs/silence-cpu-backend.js'
import { depthwiseFilterGradient, depthwiseInputGradient } from '../gradients/depthwise-gradients.js'
import { einsum } from './einsum.js'
import { isNode } from '../import-optional.js'
import { registerHostTransform } from '../transform/register-transform.js'
import { registerBroadcastBatchNorm } from '../layers/fused-batch-norm.js'
import { registerPlainKernel } from '../cpu/plain-kernel.js'
import { resizeBilinearGradient, resizeNearestGradient } from '../gradients/resize-gradients.js'
import { reverse } from './reverse.js'
import { tile } from './tile.js'
import { unsortedSegmentSum } from './unsorted-segment-sum.js'
import { registerWasmAliases } from './aliases.js'
import { checkWasmKernels, watchWasmBackend } from './checks.js'
import { registerWasmBatchNorm } from './batch-normalization.js'
import { registerWasmKernel, replaceWasmKernel } from './wasm-kernel.js'
import { maxPoolGradient } from './max-pool-gradient.js'
import { loadWasmModule } from './wasm-module.js'
import { withSharedMemory } from './shared-memory.js'
import { startThreads, wantedThreads } from './threads.js'
import { registerWasmSums } from './sums.js'
import { registerWasmClamps } from './clamp.js'
import { registerWasmExtrema } from './extremum.js'
import { registerWasmPools } from './pool.js'

/** Kernels whose stock WASM version gives wrong numbers, and that are rare enough to be left to plain JavaScript. */
const WRONG_ON_WASM = [
  'Conv3DBackpropInputV2',
  'Dilation2D',
  'Dilation2DBackpropFilter',
  'Dilation2DBackpropInput',
  'MaxPool3D',
  'MaxPool3DGrad',
  // Gives int32 whatever type is asked for.
  'OneHot',
]

let complete = false

/** Adds to the WASM backend the kernels that it lacks and that training needs, replaces those that are wrong or too slow for it, and makes
 * their failures errors. Does nothing the second time. */
export async function completeWasm(): Promise<void> {
  const [{ MathBackendCPU }] = await Promise.all([
    import('@tensorflow/tfjs-backend-cpu'),
    import('@tensorflow/tfjs-backend-wasm'),
  ])
  if (complete) return
  complete = true
  registerWasmAliases()
  registerConv2d()
  registerWasmKernel('Conv2DBackpropFilter', conv2dFilterGradient)
  registerConv2dInputGradient()
  registerWasmKernel('MaxPoolGrad', maxPoolGradient)
  registerWasmBatchNorm()
  registerWasmSums()
  registerWasmClamps()
  registerWasmExtrema()
  registerWasmPools()
  registerPlainKernel('wasm', depthwiseInputGradient)
  registerPlainKernel('wasm', depthwiseFilterGradient)
  registerPlainKernel('wasm', resizeBilinearGradient)
  registerPlainKernel('wasm', resizeNearestGradient)
  registerBroadcastBatchNorm('wasm')
  registerHostTransform('wasm')
  registerWasmKernel('UnsortedSegmentSum', unsortedSegmentSum)
  registerWasmKernel('Einsum', einsum)
  replaceWasmKernel('Reverse', () => reverse)
  replaceWasmKernel('Tile', () => tile)
  const cpu = silenceCpuBackend(new MathBackendCPU())
  for (const name of WRONG_ON_WASM) registerCpuFallback(name, cpu)
  checkWasmKernels()
  await prepareInstances()
}

/** Gives our kernels to the backend's instance, whoever starts it. */
async function prepareInstances(): Promise<void> {
  const { registry, registryFactory } = engine()
  const prepare = async (backend: BackendWasm, threads: number) => {
    const loaded = await loadWasmModule(backend)
    // Where workers are forbidden one thread does it all.
    if (loaded.shared && threads > 1) await startThreads(backend, loaded, threads).catch(() => undefined)
    watchWasmBackend(backend)
    return backend
  }
  const entry = registryFactory.wasm
  const { factory } = entry
  entry.factory = async () => {
    const threads = await wantedThreads()
    const start = async () => (await factory()) as BackendWasm
    // In browsers tfjs shares the memory where that is allowed.
    if (!isNode() || threads === 1) return prepare(await start(), threads)
    return prepare(await withSharedMemory('register_tensor', start).catch(start), threads)
  }
  if (registry.wasm) await prepare(registry.wasm as BackendWasm, await wantedThreads())
}
