import type { GpuBackend } from '@facekit/kernels'
import type { KernelBackend } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../backend/engine-backend.js'
import type { GpuProductShape } from './plan.js'
import { unitInvocations, unitWorkgroupBytes, type Layouts, type UnitTile } from './unit-tile.js'

/** A tile, and into how many parts the sum is split. */
export interface UnitPlan {
  tile: UnitTile
  parts: number
}

/** For benchmarks: a plan to try instead of the usual one. */
export const unitTuning: { plan?: (shape: GpuProductShape) => UnitPlan | undefined } = {}

/* Contributor notes
 *
 * Fitted to the convolutions of ResNet-50 with 32 pictures, forward and both gradients, on an H200 (`benchmarks/half-convolutions.ts`), 8 tiles and up to 3 splits each: what the
 * estimate chooses takes 1.5 % longer than the best that was found, 6.12 ms for all of them. Slower everywhere: two copies of the parts in workgroup memory and one barrier a
 * step; 256 x 128 results, but for products of large matrices whose parts are read ahead; sizes as constants in the programs of filter gradients (by a factor of four).
 */

/** A tile to choose from. */
export interface UnitCandidate {
  tile: UnitTile
  /** TFLOP/s if there is enough to do. */
  speed: number
  /** Workgroups that a multiprocessor works on at the same time. */
  together: number
}

export const candidate = (
  [rows, columns, depth, down, across]: [number, number, number, number, number],
  ahead: boolean,
  speed: number,
  together: number,
): UnitCandidate => ({ tile: { rows, columns, depth, down, across, ahead }, speed, together })

export const CANDIDATES = [
  candidate([128, 128, 32, 2, 2], false, 285, 2),
  candidate([128, 64, 32, 2, 2], false, 180, 2),
  candidate([128, 128, 32, 2, 4], true, 184, 1),
  candidate([64, 64, 64, 2, 2], true, 140, 2),
]

/** Software runs one workgroup after the other, and compiles slowly. Both orders of a step, so that tests see them. */
const EMULATED = [candidate([32, 32, 32, 2, 1], true, 1, 1), candidate([32, 32, 16, 2, 1], false, 1, 1)]

/** Multiprocessors of a large GPU. */
const PROCESSORS = 132
const SPLITS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
/** Steps that a part has at least. */
const LEAST_STEPS = 4

/** Whether a device has the memory and the invocations for a tile. */
export const fitsUnits = (tile: UnitTile, layouts: Layouts, limits: GPUSupportedLimits): boolean =>
  unitWorkgroupBytes(tile, layouts) <= limits.maxComputeWorkgroupStorageSize &&
  unitInvocations(tile) <= limits.maxComputeInvocationsPerWorkgroup

/** How a product of halves is cut: by an estimate of its time. */
export function planUnitProduct(backend: KernelBackend, shape: GpuProductShape): UnitPlan {
  const tuned = unitTuning.plan?.(shape)
  if (tuned) return tuned
  const { limits } = (backend as GpuBackend).device
  const emulated = (backend as GpuEngineBackend).matrixUnits === 'emulated'
  return bestPlan(emulated ? EMULATED : CANDIDATES, shape, limits, emulated ? Infinity : PROCESSORS)
}

/** The plan of the least estimated time.
 *
 * @param processors - that work at the same time; infinitely many: the fewest multiplications
 */
export function bestPlan(
  candidates: readonly UnitCandidate[],
  shape: GpuProductShape,
  limits: GPUSupportedLimits,
  processors = PROCESSORS,
): UnitPlan {
  const results = shape.rows * shape.columns * shape.count
  const most = limits.maxStorageBufferBindingSize / (4 * results)
  let best: UnitPlan | undefined
  let least = Infinity
  for (const { tile, speed, together } of candidates) {
    if (!fitsUnits(tile, shape.layouts, limits)) continue
    const tiles = Math.ceil(shape.rows / tile.rows) * Math.ceil(shape.columns / tile.columns) * shape.count
    const steps = Math.ceil(shape.inner / tile.depth)
    for (const parts of SPLITS) {
      if (parts > 1 && (parts > most || parts * LEAST_STEPS > steps)) break
      const each = (tiles * parts) / (Number.isFinite(processors) ? processors * together : 1)
      const waves = (0.5 * Math.ceil(each) + 0.5 * each) * together
      // Beginning and end of a workgroup take as long as 128 inner steps.
      const inner = Math.ceil(steps / parts) * tile.depth + 128
      const milliseconds = (2 * tile.rows * tile.columns * inner * PROCESSORS) / (speed * 1e9)
      const sum = parts > 1 ? (results * 4 * (2 * parts + 1)) / 2.5e9 + 0.004 : 0
      const time = waves * milliseconds + sum
      if (time < least) [best, least] = [{ tile, parts }, time]
    }
  }
  return best!
}
