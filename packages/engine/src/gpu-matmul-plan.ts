import { invocations, workgroupBytes, type GpuOperand, type GpuTile } from './gpu-matmul-tile.js'

/** What the choice of a tile depends on. */
export interface GpuProductShape {
  kind: string
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

const tile = (
  rows: number,
  columns: number,
  depth: number,
  ownRows: number,
  ownColumns: number,
  unroll = false,
): GpuTile => ({ rows, columns, depth, ownRows, ownColumns, unroll })

const TILES = [
  tile(128, 128, 16, 8, 8),
  tile(128, 64, 16, 8, 8),
  tile(64, 64, 16, 8, 8),
  tile(32, 64, 16, 4, 4),
  tile(32, 32, 8, 4, 4),
]

/** Workgroups that keep a large GPU busy. */
const BUSY = 264

/** For benchmarks: a plan to try instead of the usual one. */
export const tuning: { plan?: (shape: GpuProductShape) => GpuPlan | undefined } = {}

export const planProduct = (shape: GpuProductShape, limits: GPUSupportedLimits): GpuPlan =>
  tuning.plan?.(shape) ?? usualPlan(shape, limits)

/** The plan that measurements suggest. */
export function usualPlan(shape: GpuProductShape, limits: GPUSupportedLimits): GpuPlan {
  const fits = TILES.filter(
    (candidate) =>
      workgroupBytes(candidate, ...shape.layouts) <= limits.maxComputeWorkgroupStorageSize &&
      invocations(candidate) <= limits.maxComputeInvocationsPerWorkgroup,
  )
  let best: GpuPlan | undefined
  let least = Infinity
  for (const candidate of fits) {
    const tiles =
      Math.ceil(shape.rows / candidate.rows) * Math.ceil(shape.columns / candidate.columns) * shape.count
    const steps = Math.ceil(shape.inner / candidate.depth)
    const most = Math.floor(
      limits.maxStorageBufferBindingSize / (4 * shape.rows * shape.columns * shape.count),
    )
    const parts = Math.max(1, Math.min(512, most, Math.floor(BUSY / tiles), Math.floor(steps / 8)))
    const waves = Math.ceil((tiles * parts) / BUSY)
    const work = waves * Math.ceil(steps / parts) * candidate.depth * candidate.rows * candidate.columns
    const efficiency = candidate.rows * candidate.columns >= 8192 ? 1 : candidate.ownColumns === 8 ? 0.9 : 0.6
    const cost = work / efficiency + (parts > 1 ? shape.rows * shape.columns * shape.count * parts * 0.2 : 0)
    if (cost < least) [best, least] = [{ tile: candidate, parts }, cost]
  }
  return best!
}
