import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { forwardGather, gatherAdvance, gatherBegin, gatherOperand } from './gpu-conv-gather.js'
import { geometryKey, type ConvGeometry } from './gpu-conv-geometry.js'
import { plainFinish, type GpuFinishCode } from './gpu-matmul-finish.js'
import { planProduct, type GpuPlan } from './gpu-matmul-plan.js'
import { element, partSteps, shareBegin, storeRow, tileKey } from './gpu-matmul-share.js'
import { sumParts } from './gpu-matmul-sum.js'
import { tiledProduct, type GpuOperand } from './gpu-matmul-tile.js'

/** A matrix `[inner, columns]` in binding `f`, its row given by an expression of `line`. */
export function columnsOperand(
  columns: number,
  depth: number,
  innerSize: string,
  masked: boolean,
): GpuOperand {
  const wide = columns % 4 === 0
  return {
    layout: 'columns',
    functions: wide
      ? `fn readFilter(column: u32, row: u32) -> vec4<f32> { return f[(row * ${columns}u + column) >> 2u]; }`
      : `fn readFilter(column: u32, row: u32) -> vec4<f32> {
          let place = row * ${columns}u;
          return vec4<f32>(${[0, 1, 2, 3].map((lane) => `f[place + min(column + ${lane}u, ${columns - 1}u)]`).join(', ')});
        }`,
    begin: (slot, outer, inner) =>
      `let bLine${slot} = ${inner}; ${slot === 0 ? `let bColumn = min(columnBegin + ${outer}, ${wide ? columns - 4 : columns - 1}u);` : ''}`,
    fetch: (slot) => {
      const row = `step * ${depth}u + bLine${slot}`
      return masked
        ? `select(vec4<f32>(), readFilter(bColumn, min(${row}, ${innerSize} - 1u)), ${row} < ${innerSize})`
        : `readFilter(bColumn, ${row})`
    },
  }
}

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
  const shape = [batch, g.outHeight, g.outWidth, g.outChannels]
  const rows = batch * g.outHeight * g.outWidth
  const inner = g.filterHeight * g.filterWidth * g.inChannels
  const { limits } = (backend as unknown as { device: GPUDevice }).device
  const plan = planProduct(
    { kind: 'forward', rows, columns: g.outChannels, inner, count: 1, layouts: ['rows', 'columns'] },
    limits,
  )
  const { tile, parts } = plan
  const split = parts > 1
  const result = makeGpuTensor(backend, split ? [parts, ...shape] : shape, 'float32')
  const ending = split ? plainFinish : finish
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_conv_forward_${geometryKey(g)}_${tileKey(tile)}_${ending.key}_${split}`,
      inputs: [`x: ${element(g.inChannels)}`, `f: ${element(g.outChannels)}`, ...ending.inputs],
      outputs: [`result: ${element(g.outChannels)}`],
      uniforms: ['rows: u32', 'tilesDown: u32', 'parts: u32', 'columns: u32', 'alpha: f32'],
      code: () => forwardCode(g, plan, ending),
    },
    {
      inputs: [x, filter, ...ending.tensors],
      outputs: [result],
      uniforms: [rows, tilesDown, parts, g.outChannels, finish.alpha],
      workgroups: workgroupsFor(tilesDown * Math.ceil(g.outChannels / tile.columns) * parts, 1),
    },
  )
  return split ? sumParts(backend, result, shape, parts, g.outChannels, finish) : result
}

function forwardCode(g: ConvGeometry, { tile, parts }: GpuPlan, finish: GpuFinishCode): string {
  const gather = forwardGather(g)
  const inner = g.filterHeight * g.filterWidth * g.inChannels
  const columns = g.outChannels
  return tiledProduct({
    tile,
    a: gatherOperand(gather, tile.depth),
    b: columnsOperand(columns, tile.depth, `${inner}u`, inner % tile.depth !== 0),
    functions: finish.code,
    begin: `${shareBegin(tile, `${Math.ceil(columns / tile.columns)}u`, '1u')}
      let steps = ${Math.ceil(inner / tile.depth)}u; ${partSteps}
      ${gatherBegin(gather, tile.depth)}`,
    advance: gatherAdvance(gather, tile.depth),
    store: `if (row < uniforms.rows) {
      ${parts > 1 ? '' : 'value = finish(value, column);'}
      let place = (${parts > 1 ? 'part * uniforms.rows + ' : ''}row) * ${columns}u;
      ${storeRow(columns % 4 === 0, `${columns}u`, 'place')}
    }`,
  })
}
