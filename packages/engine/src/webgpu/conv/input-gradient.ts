import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuBackend } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { gatherAdvance, gatherBegin, gatherOperand, gatherSteps, type GpuGather } from './gather.js'
import { sizeExpressions, type ConvGeometry, type SizeExpressions } from './geometry.js'
import { FLOATS } from '../matmul/element.js'
import { planProduct } from '../matmul/plan.js'
import { deservesConstants, element, partSteps, shareBegin, storeRow, tileKey } from '../matmul/share.js'
import { plainFinish } from '../matmul/finish.js'
import { sumParts } from '../matmul/sum.js'
import { tiledProduct, type GpuOperand } from '../matmul/tile.js'

/* Contributor notes
 *
 * Of a stride s, an input pixel is under every s-th of the taps only, which ones depends on its position modulo s: its phase. The pixels of
 * one phase are an ordinary convolution of the output gradient with those taps: nothing is multiplied by inserted zeros.
 * All phases are in one program, a workgroup's index says which.
 */

/** Gradient of a convolution with respect to its input, as an implicit matrix product `[pixels, taps * Co] x [taps * Co, Ci]`.
 *
 * @returns `[B, H, W, Ci]`
 */
export function convInputGradient(
  backend: KernelBackend,
  dy: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const batch = dy.shape[0]
  const columns = g.inChannels
  const shape = [batch, g.inHeight, g.inWidth, columns]
  const phases = g.strideHeight * g.strideWidth
  const rows = batch * Math.ceil(g.inHeight / g.strideHeight) * Math.ceil(g.inWidth / g.strideWidth)
  const { limits } = (backend as GpuBackend).device
  const { tile, parts } = planProduct(
    {
      kind: 'input',
      rows,
      columns,
      inner: Math.ceil((g.filterHeight * g.filterWidth * g.outChannels) / phases),
      count: phases,
      layouts: ['rows', 'rows'],
    },
    limits,
  )
  const result = makeGpuTensor(backend, parts > 1 ? [parts, ...shape] : shape, 'float32')
  const strided = phases > 1
  const sizes = sizeExpressions(
    g,
    strided ||
      g.outChannels % tile.depth !== 0 ||
      deservesConstants(rows, columns, g.filterHeight * g.filterWidth * g.outChannels),
  )
  const across = sizes.names.inChannels
  const gather = gradientGather(g, sizes, strided, tile.depth)
  const { wide, aligned, outside, single } = gather
  const wideColumns = columns % 4 === 0
  const traits = [wide, aligned, outside, single, wideColumns, strided].map(Number).join('')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_conv_input_gradient_${traits}_${sizes.key}_${tileKey(tile)}`,
      inputs: [`x: ${element(g.outChannels)}`, `f: ${element(g.outChannels)}`],
      outputs: [`result: ${element(columns)}`],
      uniforms: [...UNIFORMS, ...sizes.uniforms],
      code: () =>
        tiledProduct({
          tile,
          a: gatherOperand(gather, tile.depth),
          b: turnedFilter(gather, sizes, strided, tile.depth),
          begin: `${shareBegin(tile, across, `${phases}u`)}
            ${strided ? phaseBegin(sizes) : ''}
            let steps = ${gatherSteps(gather, tile.depth)}; ${partSteps}
            ${gatherBegin(gather, tile.depth)}`,
          advance: gatherAdvance(gather, tile.depth),
          store: `if (row < uniforms.rows) { ${strided ? storePhase(gather, sizes, storeRow(wideColumns, across, 'place')) : storePlain(across, storeRow(wideColumns, across, 'place'))} }`,
        }),
    },
    {
      inputs: [dy, filter],
      outputs: [result],
      uniforms: [rows, tilesDown, parts, batch * g.inHeight * g.inWidth, ...sizes.values],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * parts * phases, 1),
    },
  )
  return parts > 1 ? sumParts(backend, result, shape, parts, columns, plainFinish) : result
}

const UNIFORMS = ['rows', 'tilesDown', 'parts', 'pixels'].map((name) => `${name}: u32`)

export function gradientGather(
  g: ConvGeometry,
  { names }: SizeExpressions,
  strided: boolean,
  depth: number,
  element = FLOATS,
): GpuGather {
  const single = !strided && g.filterHeight * g.filterWidth === 1
  return {
    height: names.outHeight,
    width: names.outWidth,
    channels: names.outChannels,
    gridHeight: strided ? `${Math.ceil(g.inHeight / g.strideHeight)}u` : names.inHeight,
    gridWidth: strided ? `${Math.ceil(g.inWidth / g.strideWidth)}u` : names.inWidth,
    stride: ['1u', '1u'],
    offset: strided ? ['offsetDown', 'offsetAcross'] : [`i32(${names.padTop})`, `i32(${names.padLeft})`],
    reach: [`-i32(${names.dilationHeight})`, `-i32(${names.dilationWidth})`],
    taps: strided ? ['tapsDown', 'tapsAcross'] : [names.filterHeight, names.filterWidth],
    element,
    wide: g.outChannels % element.width === 0,
    aligned: g.outChannels % depth === 0,
    outside: !(
      single &&
      g.padTop + g.padLeft === 0 &&
      g.outHeight === g.inHeight &&
      g.outWidth === g.inWidth
    ),
    single,
  }
}

/** Taps of the workgroup's phase: the first one and how many there are, down and across. */
export const phaseBegin = ({ names }: SizeExpressions): string => {
  const axis = (name: string, stride: string, pad: string, size: string) => `
    let tap${name} = (phase${name} + ${pad}) % ${stride};
    let taps${name} = (max(${size} + ${stride} - 1u, tap${name}) - tap${name}) / ${stride};
    let offset${name} = i32((phase${name} + ${pad} - tap${name}) / ${stride});`
  return `
    let phaseDown = phase / ${names.strideWidth};
    let phaseAcross = phase % ${names.strideWidth};
    ${axis('Down', names.strideHeight, names.padTop, names.filterHeight)}
    ${axis('Across', names.strideWidth, names.padLeft, names.filterWidth)}`
}

export const storePlain = (columns: string, store: string) =>
  `let place = (part * uniforms.pixels + row) * ${columns}; ${store}`

/** @param store - puts the results at `place` */
export const storePhase = (
  { gridHeight, gridWidth }: GpuGather,
  { names }: SizeExpressions,
  store: string,
) => `
  let line = row / ${gridWidth};
  let down = line % ${gridHeight} * ${names.strideHeight} + phaseDown;
  let across = row % ${gridWidth} * ${names.strideWidth} + phaseAcross;
  let picture = line / ${gridHeight};
  let place = (part * uniforms.pixels + (picture * ${names.inHeight} + down) * ${names.inWidth} + across) * ${names.inChannels};
  if (down < ${names.inHeight} && across < ${names.inWidth}) { ${store} }`

/** The filter as `[inner (tap, output channel), input channel]`, read along its output channels. */
export function turnedFilter(
  { wide, aligned, taps, element }: GpuGather,
  { names }: SizeExpressions,
  strided: boolean,
  depth: number,
): GpuOperand {
  const { filterWidth, strideHeight, strideWidth, outChannels, inChannels } = names
  const tapOf = (row: string, column: string) =>
    strided
      ? `((tapDown + ${row} * ${strideHeight}) * ${filterWidth} + tapAcross + ${column} * ${strideWidth})`
      : `(${row} * ${filterWidth} + ${column})`
  const begin = (slot: number, outer: string, inner: string) =>
    `let bChannel${slot} = min(columnBegin + ${outer}, ${inChannels} - 1u); ${slot === 0 ? `let bInner = ${inner};` : ''}`
  if (aligned) {
    return {
      layout: 'rows',
      begin: (slot, outer, inner) =>
        `${begin(slot, outer, inner)} let bBase${slot} = (bChannel${slot} * ${outChannels} + bInner) >> ${element.shift}u;`,
      step: `let bOffset = (${tapOf('tapRow', 'tapColumn')} * ${inChannels} * ${outChannels} + channel) >> ${element.shift}u;`,
      fetch: (slot) => `f[bBase${slot} + bOffset]`,
    }
  }
  const type = wide ? element.type : 'f32'
  const parameters = strided ? 'tapDown: u32, tapAcross: u32, tapsAcross: u32, ' : ''
  const values = strided ? 'tapDown, tapAcross, tapsAcross, ' : ''
  return {
    layout: 'rows',
    functions: `fn readFilter(${parameters}innerSize: u32, inputChannel: u32, index: u32) -> ${type} {
      if (index >= innerSize) { return ${type}(); }
      let tap = index / ${outChannels};
      let tapRow = tap / ${taps[1]};
      let tapColumn = tap % ${taps[1]};
      let place = (${tapOf('tapRow', 'tapColumn')} * ${inChannels} + inputChannel) * ${outChannels} + index % ${outChannels};
      return f[place${wide ? ` >> ${element.shift}u` : ''}];
    }
    fn readFour(${parameters}innerSize: u32, inputChannel: u32, index: u32) -> ${element.type} {
      ${
        wide
          ? `return readFilter(${values}innerSize, inputChannel, index);`
          : `var result: vec4<f32>;
      for (var lane = 0u; lane < 4u; lane++) {
        result[lane] = readFilter(${values}innerSize, inputChannel, index + lane);
      }
      return result;`
      }
    }`,
    begin,
    fetch: (slot) => `readFour(${values}innerSize, bChannel${slot}, step * ${depth}u + bInner)`,
  }
}
