import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuBackend } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { forwardGather, gatherAdvance, gatherBegin, gatherOperand, gatherSteps } from './gather.js'
import { sizeExpressions, type ConvGeometry } from './geometry.js'
import { plainFinish, type GpuFinishCode } from '../matmul/finish.js'
import { planProduct } from '../matmul/plan.js'
import {
  deservesConstants,
  element,
  linesOperand,
  partSteps,
  shareBegin,
  storeRow,
  tileKey,
} from '../matmul/share.js'
import { sumParts } from '../matmul/sum.js'
import { tiledProduct } from '../matmul/tile.js'

/** Convolution as an implicit matrix product: `[B * Ho * Wo, k * k * Ci] x [k * k * Ci, Co]`.
 *
 * @returns `[B, Ho, Wo, Co]`
 */
export function convForward(
  backend: KernelBackend,
  x: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
  finish: GpuFinishCode = plainFinish,
): TensorInfo {
  const batch = x.shape[0]
  const columns = g.outChannels
  const shape = [batch, g.outHeight, g.outWidth, columns]
  const rows = batch * g.outHeight * g.outWidth
  const inner = g.filterHeight * g.filterWidth * g.inChannels
  const { limits } = (backend as GpuBackend).device
  const { tile, parts } = planProduct(
    { kind: 'forward', rows, columns, inner, count: 1, layouts: ['rows', 'columns'] },
    limits,
  )
  const split = parts > 1
  const result = makeGpuTensor(backend, split ? [parts, ...shape] : shape, 'float32')
  const ending = split ? plainFinish : finish
  const sizes = sizeExpressions(g, g.inChannels % tile.depth !== 0 || deservesConstants(rows, columns, inner))
  const across = sizes.names.outChannels
  const gather = forwardGather(g, sizes, tile.depth)
  const { wide, aligned, outside, single } = gather
  const wideColumns = columns % 4 === 0
  const traits = [wide, aligned, outside, single, wideColumns, split].map(Number).join('')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_conv_forward_${traits}_${sizes.key}_${tileKey(tile)}_${ending.key}`,
      inputs: [`x: ${element(g.inChannels)}`, `f: ${element(columns)}`, ...ending.inputs],
      outputs: [`result: ${element(columns)}`],
      uniforms: [...UNIFORMS, ...sizes.uniforms, 'alpha: f32'],
      code: () =>
        tiledProduct({
          tile,
          a: gatherOperand(gather, tile.depth),
          b: linesOperand('f', across, wideColumns, tile.depth, aligned ? undefined : 'innerSize'),
          functions: ending.code,
          begin: `${shareBegin(tile, across, '1u')}
            let steps = ${gatherSteps(gather, tile.depth)}; ${partSteps}
            ${gatherBegin(gather, tile.depth)}`,
          advance: gatherAdvance(gather, tile.depth),
          store: `if (row < uniforms.rows) {
            ${split ? '' : 'value = finish(value, column);'}
            let place = (${split ? 'part * uniforms.rows + ' : ''}row) * ${across};
            ${storeRow(wideColumns, across, 'place')}
          }`,
        }),
    },
    {
      inputs: [x, filter, ...ending.tensors],
      outputs: [result],
      uniforms: [rows, tilesDown, parts, columns, ...sizes.values, finish.alpha],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * parts, 1),
    },
  )
  return split ? sumParts(backend, result, shape, parts, columns, finish) : result
}

const UNIFORMS = ['rows: u32', 'tilesDown: u32', 'parts: u32', 'columns: u32']
