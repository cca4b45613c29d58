import { keptHalves, makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../backend/engine-backend.js'
import { HALVES } from '../matmul/element.js'
import { plainFinish, type GpuFinishCode } from '../matmul/finish.js'
import { linesOperand, partSteps, shareBegin, storeOctet, tileKey } from '../matmul/share.js'
import { sumParts } from '../matmul/sum.js'
import { planUnitProduct } from '../matmul/unit-plan.js'
import { unitExtensions, unitProduct } from '../matmul/unit-product.js'
import { filterGradientPixels } from './filter-gradient.js'
import { forwardGather, gatherAdvance, gatherBegin, gatherOperand, gatherSteps } from './gather.js'
import { looksOutside, sizeExpressions, type ConvGeometry } from './geometry.js'
import { changeChannels, filledUp } from './fill-channels.js'
import { gradientGather, phaseBegin, storePhase, storePlain, turnedFilter } from './input-gradient.js'

/* Contributor notes
 *
 * The convolutions of forward.ts, input-gradient.ts and filter-gradient.ts on matrix units: the same places, eight halves at a time, another
 * product. Channels come in eights; those of pictures and their filters are filled up with zeros. Results are halves, but for gradients of filters.
 */

/** Whether a convolution has channels for matrix units: those that come in are few, and filled up, or come in eights. */
export const suitsUnits = (g: ConvGeometry): boolean =>
  g.outChannels % 8 === 0 && (g.inChannels % 8 === 0 || g.inChannels < 8)

/** Convolution of halves.
 *
 * @param x - `[B, H, W, Ci]`, of any type in memory, as all others here
 * @returns `[B, Ho, Wo, Co]`, halves
 */
export function unitConvForward(
  backend: KernelBackend,
  x: TensorInfo,
  filter: TensorInfo,
  geometry: ConvGeometry,
  finish: GpuFinishCode = plainFinish,
): TensorInfo {
  const { g, operands, release } = filledUp(backend, geometry, { x, filter })
  const { matrixUnits } = backend as GpuEngineBackend
  const batch = x.shape[0]
  const columns = g.outChannels
  const shape = [batch, g.outHeight, g.outWidth, columns]
  const rows = batch * g.outHeight * g.outWidth
  const inner = g.filterHeight * g.filterWidth * g.inChannels
  const { tile, parts } = planUnitProduct(backend, {
    kind: 'forward',
    rows,
    columns,
    inner,
    count: 1,
    layouts: ['rows', 'columns'],
  })
  const split = parts > 1
  const result = makeGpuTensor(backend, split ? [parts, ...shape] : shape, split ? 'float32' : 'float16')
  const ending = split ? plainFinish : finish
  const sizes = sizeExpressions(g, g.inChannels % tile.depth !== 0)
  const across = sizes.names.outChannels
  const gather = forwardGather(g, sizes, tile.depth, HALVES)
  const { aligned, outside, single } = gather
  const traits = [aligned, outside, single, split].map(Number).join('')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_half_conv_forward_${traits}_${sizes.key}_${tileKey(tile)}_${ending.key}`,
      enables: unitExtensions(matrixUnits),
      inputs: ['x: half8', 'f: half8', ...ending.inputs],
      outputs: [split ? 'result: vec4<f32>' : 'result: half8'],
      uniforms: [
        'rows: u32',
        'tilesDown: u32',
        'parts: u32',
        'columns: u32',
        ...sizes.uniforms,
        'alpha: f32',
      ],
      code: () =>
        unitProduct(
          {
            tile,
            a: gatherOperand(gather, tile.depth),
            b: linesOperand('f', across, true, tile.depth, aligned ? undefined : 'innerSize', HALVES),
            functions: ending.code,
            begin: `${shareBegin(tile, across, '1u')}
              let steps = ${gatherSteps(gather, tile.depth)}; ${partSteps}
              ${gatherBegin(gather, tile.depth)}`,
            advance: gatherAdvance(gather, tile.depth),
            store: `if (row < uniforms.rows) {
              ${split ? '' : 'low = finish(low, column); high = finish(high, column + 4u);'}
              let place = (${split ? 'part * uniforms.rows + ' : ''}row) * ${across};
              ${storeOctet(!split, across, 'place')}
            }`,
          },
          matrixUnits,
        ),
    },
    {
      inputs: [operands.x, keptHalves(backend, operands.filter), ...ending.tensors],
      outputs: [result],
      uniforms: [rows, tilesDown, parts, columns, ...sizes.values, finish.alpha],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * parts, 1),
    },
  )
  release()
  return split ? sumParts(backend, result, shape, parts, columns, finish, 'float16') : result
}

/** Its gradient with respect to the input.
 *
 * @returns `[B, H, W, Ci]`, halves where Ci comes in eights
 */
export function unitConvInputGradient(
  backend: KernelBackend,
  dy: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const { matrixUnits } = backend as GpuEngineBackend
  const batch = dy.shape[0]
  const columns = g.inChannels
  const shape = [batch, g.inHeight, g.inWidth, columns]
  const phases = g.strideHeight * g.strideWidth
  const rows = batch * Math.ceil(g.inHeight / g.strideHeight) * Math.ceil(g.inWidth / g.strideWidth)
  const inner = Math.ceil((g.filterHeight * g.filterWidth * g.outChannels) / phases)
  const { tile, parts } = planUnitProduct(backend, {
    kind: 'input',
    rows,
    columns,
    inner,
    count: phases,
    layouts: ['rows', 'rows'],
  })
  const split = parts > 1
  const strided = phases > 1
  const result = makeGpuTensor(backend, split ? [parts, ...shape] : shape, split ? 'float32' : 'float16')
  const sizes = sizeExpressions(g, strided || g.outChannels % tile.depth !== 0)
  const across = sizes.names.inChannels
  const gather = gradientGather(g, sizes, strided, tile.depth, HALVES)
  const { aligned, outside, single } = gather
  const traits = [aligned, outside, single, strided, split].map(Number).join('')
  const store = storeOctet(!split, across, 'place')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_half_conv_input_gradient_${traits}_${sizes.key}_${tileKey(tile)}`,
      enables: unitExtensions(matrixUnits),
      inputs: ['x: half8', 'f: half8'],
      outputs: [split ? 'result: vec4<f32>' : 'result: half8'],
      uniforms: ['rows: u32', 'tilesDown: u32', 'parts: u32', 'pixels: u32', ...sizes.uniforms],
      code: () =>
        unitProduct(
          {
            tile,
            a: gatherOperand(gather, tile.depth),
            b: turnedFilter(gather, sizes, strided, tile.depth),
            begin: `${shareBegin(tile, across, `${phases}u`)}
              ${strided ? phaseBegin(sizes) : ''}
              let steps = ${gatherSteps(gather, tile.depth)}; ${partSteps}
              ${gatherBegin(gather, tile.depth)}`,
            advance: gatherAdvance(gather, tile.depth),
            store: `if (row < uniforms.rows) { ${strided ? storePhase(gather, sizes, store) : storePlain(across, store)} }`,
          },
          matrixUnits,
        ),
    },
    {
      inputs: [dy, keptHalves(backend, filter)],
      outputs: [result],
      uniforms: [rows, tilesDown, parts, batch * g.inHeight * g.inWidth, ...sizes.values],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * parts * phases, 1),
    },
  )
  return split ? sumParts(backend, result, shape, parts, columns, plainFinish, 'float16') : result
}

/** Its gradient with respect to the filter.
 *
 * @returns `[kh, kw, Ci, Co]`, float32
 */
export function unitConvFilterGradient(
  backend: KernelBackend,
  x: TensorInfo,
  dy: TensorInfo,
  geometry: ConvGeometry,
): TensorInfo {
  const { g, operands, release } = filledUp(backend, geometry, { x })
  const { matrixUnits } = backend as GpuEngineBackend
  const shape = [g.filterHeight, g.filterWidth, g.inChannels, g.outChannels]
  const rows = g.filterHeight * g.filterWidth * g.inChannels
  const columns = g.outChannels
  const pixels = x.shape[0] * g.outHeight * g.outWidth
  const { tile, parts } = planUnitProduct(backend, {
    kind: 'filter',
    rows,
    columns,
    inner: pixels,
    count: 1,
    layouts: ['columns', 'columns'],
  })
  const result = makeGpuTensor(backend, parts > 1 ? [parts, ...shape] : shape, 'float32')
  const sizes = sizeExpressions(g, false)
  const across = sizes.names.outChannels
  const down = `(${sizes.names.filterHeight} * ${sizes.names.filterWidth} * ${sizes.names.inChannels})`
  const outside = looksOutside(g)
  const plain = !outside && rows === g.inChannels && g.strideHeight * g.strideWidth === 1
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_half_conv_filter_gradient_${[outside, plain].map(Number).join('')}_${sizes.key}_${tileKey(tile)}`,
      enables: unitExtensions(matrixUnits),
      inputs: ['x: half8', 'dy: half8'],
      outputs: ['result: vec4<f32>'],
      uniforms: ['tilesDown: u32', 'parts: u32', 'pixels: u32', ...sizes.uniforms],
      code: () =>
        unitProduct(
          {
            tile,
            a: filterGradientPixels(sizes, { plain, wide: true, outside }, tile.depth, HALVES),
            b: linesOperand('dy', across, true, tile.depth, 'uniforms.pixels', HALVES),
            begin: `${shareBegin(tile, across, '1u')}
              let steps = (uniforms.pixels + ${tile.depth - 1}u) / ${tile.depth}u; ${partSteps}`,
            store: `if (row < ${down}) {
              let place = (part * ${down} + row) * ${across};
              ${storeOctet(false, across, 'place')}
            }`,
          },
          matrixUnits,
        ),
    },
    {
      inputs: [operands.x, dy],
      outputs: [result],
      uniforms: [tilesDown, parts, pixels, ...sizes.values],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * parts, 1),
    },
  )
  release()
  const sum = parts > 1 ? sumParts(backend, result, shape, parts, columns, plainFinish) : result
  if (g === geometry) return sum
  const own = changeChannels(backend, sum, 2, geometry.inChannels, 'float32')
  backend.disposeData(sum.dataId)
  return own
}
