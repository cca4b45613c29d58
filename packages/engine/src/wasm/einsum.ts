import { backend_util, util, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core'
import { runWasmKernel, type WasmKernel } from './wasm-kernel.js'

interface Attributes {
  equation: string
}

/** Einsum for WASM, which has none: transpose, multiply and sum, one summed letter after the other, as tfjs' CPU
 * backend does it. */
export const einsum: WasmKernel<string, Attributes> = ({ inputs, attrs, backend }) => {
  const tensors = Object.values(inputs)
  const { allDims, summedDims, idDims } = backend_util.decodeEinsumEquation(attrs.equation, tensors.length)
  backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as Tensor[])
  const { path, steps } = backend_util.getEinsumComputePath(summedDims, idDims)
  const made: TensorInfo[] = []
  const run = (name: string, operands: Record<string, TensorInfo>, attributes?: object) => {
    const result = runWasmKernel(backend, name, operands, attributes)
    made.push(result)
    return result
  }
  /** One operand with an axis for every letter that is left, of size 1 where it lacks the letter. */
  const aligned = (operand: number, rank: number): TensorInfo => {
    const { permutationIndices: perm, expandDims } = backend_util.getEinsumPermutation(rank, idDims[operand])
    const identity = backend_util.isIdentityPermutation(perm)
    const x = identity ? tensors[operand] : run('Transpose', { x: tensors[operand] }, { perm })
    const shape = [...x.shape]
    for (const axis of expandDims) shape.splice(axis, 0, 1)
    return util.arraysEqual(x.shape, shape) ? x : run('Reshape', { x }, { shape })
  }
  let out: TensorInfo | undefined
  let rank = allDims.length
  for (const [i, step] of steps.entries()) {
    for (const operand of step) {
      const x: TensorInfo = aligned(operand, rank)
      out = out ? run('Multiply', { a: x, b: out }) : x
    }
    if (i === steps.length - 1) break
    if (path[i] >= 0) {
      out = run('Sum', { x: out! }, { axis: path[i] - (allDims.length - rank), keepDims: false })
    }
    rank--
  }
  // An equation that changes nothing ("ij->ij") must not hand out its input's own data.
  if (!made.includes(out!)) out = run('Identity', { x: out! })
  for (const tensor of made) if (tensor !== out) backend.disposeData(tensor.dataId)
  return out!
}
