import { invocations, workgroupBytes, type GpuOperand, type GpuTile } from './tile.js'

/* Contributor notes
 *
 * The choice minimises an estimate of the time on an H100. Fitted to 20 products (convolutions of ResNet-50 and their gradients) with up to 20
 * tiles and splits each: what it chooses takes 2 % longer than the best that was found. A simpler rule, multiplications over the tile's
 * own speed in whole waves, chose 9 % worse.
 */

/** What the choice of a tile depends on. */
export interface GpuProductShape {
  kind: 'forward' | 'input' | 'filter' | 'product'
  rows: number
  columns: number
  /** Length of the sum. */
  inner: number
  /** Products of this shape in one program: a batch of matrices, phases of a stride. */
  count: number
  layouts: [GpuOperand['layout'], GpuOperand['layout']]
}

/** A tile, and into how many parts the sum is split. */
export interface GpuPlan {
  tile: GpuTile
  parts: number
}

interface Candidate {
  tile: GpuTile
  /** TFLOP/s if there is enough to do. */
  speed: number
  /** Workgroups that a multiprocessor needs to get there. */
  resident: number
}

const candidate = (
  [rows, columns, depth, ownRows, ownColumns]: [number, number, number, number, number],
  unroll: boolean,
  speed: number,
  resident: number,
): Candidate => ({ tile: { rows, columns, depth, ownRows, ownColumns, unroll }, speed, resident })

const SMALL = [candidate([32, 64, 16, 4, 4], false, 20, 6), candidate([32, 32, 8, 4, 4], false, 16, 8)]
/** At least one operand is turned. */
const TURNED = [
  candidate([128, 128, 16, 8, 8], true, 32, 2),
  candidate([128, 64, 16, 8, 8], false, 33, 3),
  candidate([64, 64, 16, 8, 4], false, 31, 4),
  ...SMALL,
]
const STRAIGHT = [
  candidate([128, 128, 16, 8, 8], true, 34, 2),
  candidate([128, 64, 16, 8, 4], false, 31, 3),
  candidate([64, 64, 16, 8, 4], false, 31, 4),
  ...SMALL,
]

/** Multiprocessors of a large GPU. */
const PROCESSORS = 132
const SPLITS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
/** Steps that a part has at least. */
const LEAST_STEPS = 8

/** For benchmarks: a plan to try instead of the usual one. */
export const tuning: { plan?: (shape: GpuProductShape) => GpuPlan | undefined } = {}

export const planProduct = (shape: GpuProductShape, limits: GPUSupportedLimits): GpuPlan =>
  tuning.plan?.(shape) ?? usualPlan(shape, limits)

/** The plan that measurements suggest. */
export function usualPlan(shape: GpuProductShape, limits: GPUSupportedLimits): GpuPlan {
  const results = shape.rows * shape.columns * shape.count
  const most = limits.maxStorageBufferBindingSize / (4 * results)
  let best: GpuPlan | undefined
  let least = Infinity
  for (const { tile, speed, resident } of shape.layouts.includes('rows') ? TURNED : STRAIGHT) {
    const fits =
      workgroupBytes(tile, ...shape.layouts) <= limits.maxComputeWorkgroupStorageSize &&
      invocations(tile) <= limits.maxComputeInvocationsPerWorkgroup
    if (!fits) continue
    const tiles = Math.ceil(shape.rows / tile.rows) * Math.ceil(shape.columns / tile.columns) * shape.count
    const steps = Math.ceil(shape.inner / tile.depth)
    for (const parts of SPLITS) {
      if (parts > 1 && (parts > most || parts * LEAST_STEPS > steps)) break
      // Workgroups of each multiprocessor; of those of the last wave, a part counts in full.
      const each = (tiles * parts) / PROCESSORS
      const waves = 0.8 * Math.ceil(each) + 0.2 * each
      // Beginning and end of a workgroup take as long as 24 inner steps.
      const inner = Math.ceil(steps / parts) * tile.depth + 24
      const milliseconds = (2 * tile.rows * tile.columns * inner * PROCESSORS) / (speed * 1e9)
      const waiting = 1 + (0.6 * Math.max(0, resident - each)) / resident
      const sum = parts > 1 ? (1.2 * results * 4 * (2 * parts + 1)) / 2.5e9 + 0.004 : 0
      const time = waves * milliseconds * waiting + sum
      if (time < least) [best, least] = [{ tile, parts }, time]
    }
  }
  return best!
}
