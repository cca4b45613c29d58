import type { TensorInfo } from '@tensorflow/tfjs-core'
import { matrixProduct } from './matmul.js'
import { finishCode, supportsFinish } from './finish.js'
import { suitsUnitProduct, unitMatrixProduct } from './unit-matmul.js'
import { replaceGpuKernel } from './replace.js'

interface Attributes {
  transposeA: boolean
  transposeB: boolean
  activation?: string
  leakyreluAlpha?: number
}

const isPlain = (...tensors: TensorInfo[]) =>
  tensors.every(({ dtype, shape }) => dtype === 'float32' && shape.every((size) => size > 0))

const product: typeof matrixProduct = (backend, a, b, ...rest) =>
  (suitsUnitProduct(backend, a, b) ? unitMatrixProduct : matrixProduct)(backend, a, b, ...rest)

const columnsOf = (b: TensorInfo, { transposeB }: Attributes) => b.shape.at(transposeB ? -2 : -1)!

/** Registers matrix products for the WebGPU backend. */
export function registerGpuProducts(): void {
  replaceGpuKernel<'a' | 'b', Attributes>(
    'BatchMatMul',
    ({ inputs: { a, b } }) => isPlain(a, b),
    ({ inputs: { a, b }, attrs, backend }) => product(backend, a, b, attrs.transposeA, attrs.transposeB),
  )
  replaceGpuKernel<'a' | 'b' | 'bias' | 'preluActivationWeights', Attributes>(
    '_FusedMatMul',
    ({ inputs: { a, b, ...finish }, attrs }) =>
      isPlain(a, b) && supportsFinish({ ...attrs, ...finish }, columnsOf(b, attrs)),
    ({ inputs: { a, b, ...finish }, attrs, backend }) =>
      product(
        backend,
        a,
        b,
        attrs.transposeA,
        attrs.transposeB,
        finishCode({ ...attrs, ...finish }, columnsOf(b, attrs)),
      ),
  )
}
