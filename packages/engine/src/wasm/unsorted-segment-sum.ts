import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu'
import { registerTypedKernel, type TypedKernel } from '../tfjs/typed-kernel.js'
import type { WasmKernel } from './wasm-kernel.js'

type Numbers = Float32Array | Int32Array | Uint8Array

interface Attributes {
  numSegments: number
}

/** Adds up the rows of x that carry the same segment number. Rows with a number outside of the range are dropped. */
function sumSegments(x: Numbers, ids: Numbers, segments: number, result: Numbers): void {
  const width = ids.length === 0 ? 0 : x.length / ids.length
  result.fill(0)
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row]
    if (id < 0 || id >= segments) continue
    let from = row * width
    for (let to = id * width; to < (id + 1) * width; to++) result[to] += x[from++]
  }
}

const outputShape = (x: TensorInfo, ids: TensorInfo, segments: number) => [
  segments,
  ...x.shape.slice(ids.shape.length),
]

/** UnsortedSegmentSum for WASM, which has none: the gradient of `gather` needs it. */
export const unsortedSegmentSum: WasmKernel<'x' | 'segmentIds', Attributes> = ({
  inputs,
  attrs,
  backend,
}) => {
  const { x, segmentIds } = inputs
  const out = backend.makeOutput(outputShape(x, segmentIds, attrs.numSegments), x.dtype)
  const heap = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Numbers
  sumSegments(heap(x), heap(segmentIds), attrs.numSegments, heap(out))
  return out
}

/** Replaces the stock kernel of the CPU backend, which reads all of x once for every segment. */
export function registerCpuUnsortedSegmentSum(): void {
  const kernel: TypedKernel<Record<'x' | 'segmentIds', TensorInfo>, Attributes, MathBackendCPU> = (args) => {
    const { inputs, attrs, backend } = args
    const { x, segmentIds } = inputs
    const shape = outputShape(x, segmentIds, attrs.numSegments)
    const values = util.getTypedArrayFromDType(x.dtype as 'float32', util.sizeFromShape(shape)) as Numbers
    const read = (tensor: TensorInfo) => backend.data.get(tensor.dataId as object).values as Numbers
    sumSegments(read(x), read(segmentIds), attrs.numSegments, values)
    return backend.makeTensorInfo(shape, x.dtype, values)
  }
  registerTypedKernel('UnsortedSegmentSum', 'cpu', kernel)
}
