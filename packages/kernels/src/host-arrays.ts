import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** Memory of a tensor as a kernel in TypeScript sees it. */
export type HostArray = Float32Array | Int32Array

/** Shape and type of a tensor that a kernel makes. */
export interface OutputSpec {
  shape: readonly number[]
  dtype: 'float32' | 'int32'
}

/** The part of tfjs' WASM backend that gives out its heap. */
interface HeapBackend {
  makeOutput(shape: number[], dtype: string): TensorInfo
  disposeData(dataId: object): boolean
  typedArrayFromHeap(info: TensorInfo): HostArray
  getMemoryOffset(dataId: object): number
}

function isHeapBackend(backend: unknown): backend is HeapBackend {
  const candidate = backend as Partial<HeapBackend>
  return typeof candidate.typedArrayFromHeap === 'function' && typeof candidate.makeOutput === 'function'
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, dimension) => product * dimension, 1)

/** Runs a computation over typed arrays as a kernel of any backend whose memory can be read at once.
 *
 * On WASM the arrays are views of its heap, so nothing is copied; elsewhere the inputs come from `readSync` (which on the
 * CPU backend is the memory itself) and the outputs are handed over. Outputs are not cleared: `compute` writes all of them.
 * `compute` must not make tensors: an allocation may grow the WASM heap, which detaches every view.
 */
export function computeOnHost(
  backend: KernelBackend,
  inputs: readonly TensorInfo[],
  outputs: readonly OutputSpec[],
  compute: (inputs: HostArray[], outputs: HostArray[]) => void,
): TensorInfo[] {
  if (isHeapBackend(backend)) {
    const results = outputs.map(({ shape, dtype }) => backend.makeOutput([...shape], dtype))
    // A tensor that lives on another backend moves here now, which allocates: so before any view is taken.
    for (const input of inputs) backend.getMemoryOffset(input.dataId)
    const view = (info: TensorInfo) => backend.typedArrayFromHeap(info)
    try {
      compute(inputs.map(view), results.map(view))
    } catch (error) {
      for (const { dataId } of results) backend.disposeData(dataId)
      throw error
    }
    return results
  }
  const arrays = outputs.map(({ shape, dtype }) =>
    dtype === 'int32' ? new Int32Array(sizeOf(shape)) : new Float32Array(sizeOf(shape)),
  )
  compute(
    inputs.map((input) => {
      const values: unknown = backend.readSync(input.dataId)
      if (values instanceof Float32Array || values instanceof Int32Array) return values
      return input.dtype === 'int32'
        ? Int32Array.from(values as number[])
        : Float32Array.from(values as number[])
    }),
    arrays,
  )
  return outputs.map(({ shape: dimensions, dtype }, i) => {
    const shape = [...dimensions]
    return { dataId: backend.write(arrays[i], shape, dtype), shape, dtype }
  })
}
