import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** What was uploaded to a backend, by the array that it came from. */
const uploads = new WeakMap<KernelBackend, WeakMap<Int32Array, TensorInfo>>()

/** Frees GPU memory once the array that it came from is gone. */
const registry = new FinalizationRegistry<{ backend: WeakRef<KernelBackend>; dataId: object }>(
  ({ backend, dataId }) => backend.deref()?.disposeData(dataId),
)

/** An array that never changes, such as the triangles of a mesh, on the GPU: uploaded once for each backend, and kept as long as
 * the array.
 *
 * @memory nothing to dispose
 */
export function gpuConstant(backend: KernelBackend, values: Int32Array): TensorInfo {
  let known = uploads.get(backend)
  if (known === undefined) uploads.set(backend, (known = new WeakMap<Int32Array, TensorInfo>()))
  let info = known.get(values)
  if (info === undefined) {
    // A copy: the backend may keep what it is given until it is needed, and the key must not be held by its value.
    const copy = Int32Array.from(values)
    info = { dataId: backend.write(copy, [copy.length], 'int32'), shape: [copy.length], dtype: 'int32' }
    known.set(values, info)
    registry.register(values, { backend: new WeakRef(backend), dataId: info.dataId })
  }
  return info
}
