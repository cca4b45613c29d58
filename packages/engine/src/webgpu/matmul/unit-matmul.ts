import { gpuMemoryType, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import { broadcast_util, util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../backend/engine-backend.js'
import { HALVES } from './element.js'
import { plainFinish, type GpuFinishCode } from './finish.js'
import { batchCode, batchKey, matrixOperand, sides } from './matmul.js'
import { deservesConstants, partSteps, shareBegin, storeOctet, tileKey } from './share.js'
import { sumParts } from './sum.js'
import type { GpuOperand } from './tile.js'
import { planUnitProduct } from './unit-plan.js'
import { unitExtensions, unitProduct } from './unit-product.js'

/** Whether a product goes to the matrix units: one of its operands lies in memory as halves, and lines come in eights. */
export const suitsUnitProduct = (backend: KernelBackend, a: TensorInfo, b: TensorInfo): boolean =>
  (backend as GpuEngineBackend).mixed &&
  [a, b].some((operand) => gpuMemoryType(backend, operand) === 'float16') &&
  [...a.shape.slice(-2), ...b.shape.slice(-2)].every((size) => size % 8 === 0)

/** `matrixProduct` of halves, with sums and results of float32.
 *
 * @returns `[..., M, N]`, float32
 */
export function unitMatrixProduct(
  backend: KernelBackend,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
  finish: GpuFinishCode = plainFinish,
): TensorInfo {
  const { matrixUnits } = backend as GpuEngineBackend
  const [rows, inner] = sides(a, transposeA)
  const [columns] = sides(b, !transposeB)
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const batch = broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch)
  const count = util.sizeFromShape(batch)
  const shape = [...batch, rows, columns]
  const layouts: [GpuOperand['layout'], GpuOperand['layout']] = [
    transposeA ? 'columns' : 'rows',
    transposeB ? 'rows' : 'columns',
  ]
  const { tile, parts } = planUnitProduct(backend, { kind: 'product', rows, columns, inner, count, layouts })
  const split = parts > 1
  const result = makeGpuTensor(backend, split ? [parts, ...shape] : shape, 'float32')
  const ending = split ? plainFinish : finish
  const constant = deservesConstants(rows * count, columns, inner)
  const [innerSize, columnsSize] = constant
    ? [`${inner}u`, `${columns}u`]
    : ['uniforms.inner', 'uniforms.columns']
  const whole = inner % tile.depth === 0
  const matrices = batchCode(aBatch, bBatch, batch)
  const tilesDown = Math.ceil(rows / tile.rows)
  const traits = [...layouts, Number(whole), batchKey(matrices), innerSize, columnsSize].join('_')
  runGpuProgram(
    backend,
    {
      name: `facekit_half_product_${traits.replaceAll('uniforms.', '')}_${tileKey(tile)}_${ending.key}_${split}`,
      enables: unitExtensions(matrixUnits),
      inputs: ['a: half8', 'b: half8', ...ending.inputs],
      outputs: ['result: vec4<f32>'],
      uniforms: ['rows', 'columns', 'inner', 'count', 'tilesDown', 'parts']
        .map((name) => `${name}: u32`)
        .concat('alpha: f32'),
      code: () =>
        unitProduct(
          {
            tile,
            a: matrixOperand(
              'a',
              layouts[0],
              'uniforms.rows',
              innerSize,
              'rowBegin',
              true,
              tile.depth,
              whole,
              HALVES,
            ),
            b: matrixOperand(
              'b',
              layouts[1],
              columnsSize,
              innerSize,
              'columnBegin',
              true,
              tile.depth,
              whole,
              HALVES,
            ),
            functions: ending.code,
            begin: `
              ${shareBegin(tile, columnsSize, 'uniforms.count')}
              ${matrices}
              let steps = (${innerSize} + ${tile.depth - 1}u) / ${tile.depth}u; ${partSteps}`,
            store: `if (row < uniforms.rows) {
              ${split ? '' : 'low = finish(low, column); high = finish(high, column + 4u);'}
              let place = ((part * uniforms.count + phase) * uniforms.rows + row) * ${columnsSize};
              ${storeOctet(false, columnsSize, 'place')}
            }`,
          },
          matrixUnits,
        ),
    },
    {
      inputs: [a, b, ...ending.tensors],
      outputs: [result],
      uniforms: [rows, columns, inner, count, tilesDown, parts, finish.alpha],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * count * parts, 1),
    },
  )
  return split ? sumParts(backend, result, shape, parts, columns, finish) : result
}
