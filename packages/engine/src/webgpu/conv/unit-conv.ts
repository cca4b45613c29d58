import {
  convertGpuTensor,
  gpuMemoryType,
  keptHalves,
  makeGpuTensor,
  runGpuProgram,
  workgroupsFor,
  type GpuProgram,
} from '@facekit/kernels'
import { util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from '../backend/engine-backend.js'
import { GROUP, GROUP_PARAMETERS } from '../columns.js'
import { HALVES } from '../matmul/element.js'
import { plainFinish, type GpuFinishCode } from '../matmul/finish.js'
import { linesOperand, partSteps, shareBegin, storeOctet, tileKey } from '../matmul/share.js'
import { sumParts } from '../matmul/sum.js'
import { planUnitProduct } from '../matmul/unit-plan.js'
import { unitExtensions, unitProduct } from '../matmul/unit-product.js'
import { filterGradientPixels } from './filter-gradient.js'
import { forwardGather, gatherAdvance, gatherBegin, gatherOperand, gatherSteps } from './gather.js'
import { looksOutside, sizeExpressions, type ConvGeometry } from './geometry.js'
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

/** A convolution whose input channels come in eights: as it is, or filled up with zeros. */
function filledUp<Operands extends { x: TensorInfo; filter?: TensorInfo }>(
  backend: KernelBackend,
  geometry: ConvGeometry,
  operands: Operands,
): { g: ConvGeometry; operands: Operands; release(): void } {
  if (geometry.inChannels % 8 === 0) return { g: geometry, operands, release: () => {} }
  const x = changeChannels(backend, operands.x, 3, 8, 'float16')
  const made = [x]
  const filled = { ...operands, x }
  if (operands.filter) {
    filled.filter = changeChannels(backend, operands.filter, 2, 8, 'float16')
    made.push(filled.filter)
  }
  const release = () => {
    for (const { dataId } of made) backend.disposeData(dataId)
  }
  return { g: { ...geometry, inChannels: 8 }, operands: filled, release }
}

/** Another number of channels along an axis: the first ones, or zeros behind them.
 *
 * @param type - of the result, which comes in fours of its last axis
 */
function changeChannels(
  backend: KernelBackend,
  x: TensorInfo,
  axis: number,
  channels: number,
  type: 'float16' | 'float32',
): TensorInfo {
  const before = x.shape[axis]
  const shape = x.shape.map((size, i) => (i === axis ? channels : size))
  const run = util.sizeFromShape(shape.slice(axis + 1))
  const source = gpuMemoryType(backend, x) === 'float32' ? x : convertGpuTensor(backend, x, 'float32')
  const result = makeGpuTensor(backend, shape, type)
  const quads = util.sizeFromShape(shape) / 4
  runGpuProgram(backend, channelProgram(type), {
    inputs: [source],
    outputs: [result],
    uniforms: [quads, run, before, channels],
    workgroups: workgroupsFor(quads, 256),
  })
  if (source !== x) backend.disposeData(source.dataId)
  return result
}

const channelProgram = (type: 'float16' | 'float32'): GpuProgram => ({
  name: `facekit_channels_${type}`,
  inputs: ['x: f32'],
  outputs: [type === 'float16' ? 'result: half4' : 'result: vec4<f32>'],
  uniforms: ['quads: u32', 'run: u32', 'before: u32', 'channels: u32'],
  code: /* wgsl */ `
    fn at(index: u32) -> f32 {
      let line = index / uniforms.run;
      let outer = line / uniforms.channels;
      let channel = line - outer * uniforms.channels;
      if (channel >= uniforms.before) { return 0.0; }
      return x[(outer * uniforms.before + channel) * uniforms.run + index - line * uniforms.run];
    }
    @compute @workgroup_size(256)
    fn main(${GROUP_PARAMETERS}) {
      ${GROUP}
      let quad = group * 256u + local;
      if (quad >= uniforms.quads) { return; }
      let index = quad * 4u;
      let value = vec4<f32>(at(index), at(index + 1u), at(index + 2u), at(index + 3u));
      result[quad] = ${type === 'float16' ? 'narrow4(value)' : 'value'};
    }`,
})
