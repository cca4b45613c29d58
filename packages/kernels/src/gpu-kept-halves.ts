import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuBackend } from './gpu-backend.js'
import { gpuMemoryType, makeGpuTensor, runGpuProgram, workgroupsFor, type GpuProgram } from './gpu-program.js'
import { wgslMain } from './wgsl.js'

/* Contributor notes
 *
 * Weights are float32, matrix units take halves. A copy as halves is kept beside the numbers, so that forward and backward pass, and the next step if nothing
 * has changed, share it. Whoever writes the numbers in place makes it stale; an optimiser brings the copies of all that it has changed up to date in a few
 * dispatches, where they lie: commands that were recorded go on finding them there.
 */

/** The numbers of a float32 tensor as halves, kept on the GPU as long as they live: converted when they are first asked for, and again after they were changed.
 *
 * @returns the tensor itself where its memory holds halves, or integers
 * @memory belongs to the tensor
 */
export function keptHalves(backend: KernelBackend, x: TensorInfo): TensorInfo {
  if (gpuMemoryType(backend, x) !== 'float32' || util.sizeFromShape(x.shape) === 0) return x
  const gpu = backend as GpuBackend
  const data = gpu.tensorMap.get(x.dataId)
  data.halves ??= { info: makeGpuTensor(backend, x.shape, 'float16'), stale: true }
  gpu.useHalves?.(x.dataId)
  if (data.halves.stale) refreshHalves(backend, [x])
  return data.halves.info
}

/** Brings the halves that are kept of tensors up to date, many in a dispatch; tensors without are left alone. */
export function refreshHalves(backend: KernelBackend, tensors: readonly TensorInfo[]): void {
  const gpu = backend as GpuBackend
  const kept = tensors.flatMap((x) => {
    const { halves } = gpu.tensorMap.get(x.dataId)
    return halves ? [{ x, halves, quads: Math.ceil(util.sizeFromShape(x.shape) / 4) }] : []
  })
  // Alike sizes together: the small ones share their dispatches.
  kept.sort((a, b) => b.quads - a.quads)
  const most = Math.floor(gpu.device.limits.maxStorageBuffersPerShaderStage / 2)
  for (let start = 0; start < kept.length; start += most) {
    const some = kept.slice(start, start + most)
    let end = 0
    const ends = some.map(({ quads }) => (end += quads))
    runGpuProgram(backend, narrowed(some.length), {
      inputs: some.map(({ x }) => x),
      outputs: some.map(({ halves }) => halves.info),
      uniforms: ends,
      workgroups: workgroupsFor(end, 256),
    })
    for (const { halves } of some) halves.stale = false
  }
}

/** What lies behind the last number is read and written, too: buffers are that large. */
const narrowed = (count: number): GpuProgram => {
  const each = (code: (i: number) => string) => Array.from({ length: count }, (_, i) => code(i))
  return {
    name: `facekit_narrow_${count}`,
    keeps: true,
    refreshes: true,
    inputs: each((i) => `x${i}: vec4<f32>`),
    outputs: each((i) => `result${i}: half4`),
    uniforms: each((i) => `end${i}: u32`),
    code: () =>
      wgslMain(
        each((i) => {
          const at = i === 0 ? 'index' : `index - uniforms.end${i - 1}`
          return `if (index < uniforms.end${i}) { result${i}[${at}] = narrow4(x${i}[${at}]); return; }`
        }).join('\n'),
        256,
      ),
  }
}
