import { engine } from '@tensorflow/tfjs-core'
import type { BackendName, Precision } from '../engine-info.js'
import type { GpuEngineBackend, MatrixUnits } from '../webgpu/backend/engine-backend.js'
import { faultOfUnits } from '../webgpu/matmul/unit-check.js'

/** Flags for Dawn: matrix units count as unsafe, since their specification is a draft, and f16 on NVIDIA is off, since it fails some of Dawn's tests.
 * With bounds checks products of halves take twice as long. */
export const MIXED_FLAGS = [
  'enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia,disable_robustness',
]

/** Features of a device that multiplies halves on its matrix units. */
export const MIXED_FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as const

/** Sizes of matrices, in the words of Dawn's adapter information. */
interface UnitConfig {
  componentType: string
  resultComponentType: string
  M: number
  N: number
  K: number
}

interface UnitInfo extends GPUAdapterInfo {
  subgroupMatrixConfigs?: Iterable<UnitConfig>
}

/** Why an adapter cannot multiply halves as our kernels want it; nothing where it can. */
export function unitsMissing({ features, info }: Pick<GPUAdapter, 'features' | 'info'>): string | undefined {
  const missing = MIXED_FEATURES.filter((name) => !features.has(name))
  if (missing.length > 0) return `this adapter has no ${missing.join(', no ')}`
  const { subgroupMatrixConfigs = [], subgroupMinSize, subgroupMaxSize } = info as UnitInfo
  const found = [...subgroupMatrixConfigs].some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && M === 16 && N === 16 && K === 16,
  )
  if (!found) return 'its matrix units have no products of 16 x 16 x 16, f16 in and f32 out'
  if (subgroupMinSize !== 32 || subgroupMaxSize !== 32)
    return `its subgroups have ${subgroupMinSize} to ${subgroupMaxSize} invocations, not 32`
  return undefined
}

/** What is known of a backend's matrix units. */
interface Units {
  /** Why there are none. */
  missing?: string
  /** Those that have been tried. */
  checked?: MatrixUnits
}

const known = new WeakMap<object, Units>()

/** Notes what a device that has just been made can do.
 *
 * @param missing - why it has no matrix units
 */
export function noteUnits(backend: GpuEngineBackend, missing: string | undefined): void {
  known.set(backend, { missing })
}

/** Switches the current backend's precision; mixed where it can, after a product with a known answer.
 *
 * @returns what it is now, and why if that was asked for
 */
export async function choosePrecision(
  name: BackendName,
  precision: Precision,
): Promise<{ precision: Precision; precisionReason?: string }> {
  const gpu = name === 'webgpu' ? (engine().registry.webgpu as GpuEngineBackend) : undefined
  if (gpu) gpu.mixed = false
  if (precision === 'float32') return { precision, precisionReason: undefined }
  const without = (reason: string) => ({ precision: 'float32' as const, precisionReason: reason })
  if (!gpu) return without(`backend ${name} computes in float32`)
  const emulated = gpu.matrixUnits === 'emulated'
  const units = known.get(gpu) ?? { missing: 'this backend was started by somebody else' }
  if (units.missing !== undefined && !emulated) return without(units.missing)
  if (units.checked !== gpu.matrixUnits) {
    if (!emulated) gpu.matrixUnits = 'hardware'
    const fault = await faultOfUnits(gpu)
    if (fault !== undefined) {
      gpu.matrixUnits = 'none'
      units.missing = fault
      // Not what anybody expects of a GPU that says that it can.
      console.warn(`facekit: mixed precision is off, computing in float32: ${fault}`)
      return without(fault)
    }
    units.checked = gpu.matrixUnits
  }
  gpu.mixed = true
  return { precision, precisionReason: 'matrix units: f16 in, f32 out' }
}
