import {
  backend,
  concat,
  keep,
  tensor,
  tidy,
  transpose,
  type KernelBackend,
  type Tensor2D,
} from '@tensorflow/tfjs-core'
import type { NdArray } from 'ndarray'
import { allZero } from './all-zero.js'
import { denseData } from './dense-data.js'
import type { MorphableModel } from './morphable-model.js'

/** One linear model on the current backend: `mean + coefficients * basis`. */
export interface LinearTensors {
  /** `[1, 3N]` */
  mean: Tensor2D
  /** `[K, 3N]` and `[3N, K]`: a matrix product of the WASM backend is fast (9 times here) only when nothing is transposed. */
  basis: Tensor2D
  transposed: Tensor2D
}

type Part = 'shape' | 'diffuse' | 'specular'

// Keyed by the backend itself, not its name: one that was removed and registered again has lost its data.
const caches = new WeakMap<MorphableModel, Map<KernelBackend, Map<Part, LinearTensors>>>()

const sources: Record<
  Part,
  (model: MorphableModel) => [mean: NdArray<Float32Array>, ...NdArray<Float32Array>[]]
> = {
  shape: ({ shape }) => [shape.mean, shape.identity, shape.expression],
  diffuse: ({ albedo }) => [albedo.diffuseMean, albedo.diffuse],
  specular: ({ albedo }) => [albedo.specularMean, albedo.specular],
}

/** A linear part of a model on the current backend; uploaded once. Absent: a basis without modes. */
export function linearTensors(
  model: MorphableModel,
  part: Part,
): LinearTensors | { mean: Tensor2D; basis?: undefined } {
  const backends = caches.get(model) ?? new Map<KernelBackend, Map<Part, LinearTensors>>()
  caches.set(model, backends)
  const parts = backends.get(backend()) ?? new Map<Part, LinearTensors>()
  backends.set(backend(), parts)
  const cached = parts.get(part)
  if (cached && !cached.mean.isDisposed) return cached
  const [mean, ...bases] = sources[part](model)
  const created = tidy(() => {
    const rows = (array: NdArray<Float32Array>, count: number) =>
      tensor(denseData(array), [count, model.vertexCount * 3]) as Tensor2D
    const parts = bases.filter(({ shape }) => shape[0] > 0).map((array) => rows(array, array.shape[0]))
    // Models without highlights have a basis of zeros: a gigabyte less, and half the time of a step.
    const isStill = bases.every((array) => allZero(denseData(array)))
    if (parts.length === 0 || isStill) return { mean: keep(rows(mean, 1)) }
    const basis = parts.length > 1 ? concat(parts, 0) : parts[0]
    return { mean: keep(rows(mean, 1)), basis: keep(basis), transposed: keep(transpose(basis) as Tensor2D) }
  })
  parts.set(part, created as LinearTensors)
  return created
}

/** Frees what the evaluation functions keep of a model, on every backend; they upload it again when needed. */
export function disposeModel(model: MorphableModel): void {
  for (const parts of caches.get(model)?.values() ?? []) {
    for (const { mean, basis, transposed } of parts.values()) {
      mean.dispose()
      basis?.dispose()
      transposed?.dispose()
    }
  }
  caches.delete(model)
}
