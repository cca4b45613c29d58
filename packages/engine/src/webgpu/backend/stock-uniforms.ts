import { util, type TensorInfo } from '@tensorflow/tfjs-core'
import type { StockProgram, StockUniform } from './stock-webgpu-backend.js'

/** The uniforms of a program of tfjs' WebGPU backend in the layout that its generated code declares. */
export function stockUniforms(
  program: StockProgram,
  inputs: readonly TensorInfo[],
  output: TensorInfo,
  own: readonly StockUniform[] = [],
): ArrayBuffer {
  const all: StockUniform[] = []
  const integers = (data: number[]) => all.push({ type: 'int32', data })
  if (program.pixelsOpType === undefined) {
    all.push({ type: 'float32', data: [NaN] }, { type: 'float32', data: [Infinity] })
    for (const { shape } of [...inputs, output]) {
      integers(shape)
      integers(util.computeStrides(shape))
    }
  } else {
    integers(util.computeStrides(output.shape))
  }
  if (program.size) integers([util.sizeFromShape(program.outputShape) / (program.outputComponent ?? 1)])
  return pack([...all, ...own])
}

/** Structs of WGSL: scalars at multiples of 4 bytes, pairs of 8, all others of 16; five and six numbers are a struct of their own. */
function pack(uniforms: readonly StockUniform[]): ArrayBuffer {
  let end = 0
  let alignment = 4
  let previous = 0
  const offsets = uniforms.map(({ data }) => {
    // tfjs declares an empty shape as one number.
    const length = Math.max(1, data.length)
    const own = previous >= 5 || length > 2 ? 16 : 4 * length
    alignment = Math.max(alignment, own)
    const offset = Math.ceil(end / own) * own
    end = offset + 4 * length
    previous = length
    return offset
  })
  const bytes = new ArrayBuffer(Math.ceil(end / alignment) * alignment)
  const view = new DataView(bytes)
  uniforms.forEach(({ type, data }, i) => {
    const values = data.length === 0 ? [1] : data
    values.forEach((value, k) => {
      const offset = offsets[i] + 4 * k
      if (type === 'float32') view.setFloat32(offset, value, true)
      else if (type === 'uint32') view.setUint32(offset, value, true)
      else view.setInt32(offset, value, true)
    })
  })
  return bytes
}
