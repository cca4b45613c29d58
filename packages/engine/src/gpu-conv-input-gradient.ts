import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { gatherAdvance, gatherBegin, gatherOperand, isAligned, type GpuGather } from './gpu-conv-gather.js'
import { geometryKey, type ConvGeometry } from './gpu-conv-geometry.js'
import { plainFinish } from './gpu-matmul-finish.js'
import { planProduct, type GpuPlan } from './gpu-matmul-plan.js'
import { element, partSteps, shareBegin, storeRow, tileKey } from './gpu-matmul-share.js'
import { sumParts } from './gpu-matmul-sum.js'
import { tiledProduct, type GpuOperand } from './gpu-matmul-tile.js'

/* Contributor notes
 *
 * Of a stride s, an input pixel is under s-th of the taps only, which ones depends on its position modulo s: its phase. The pixels of
 * one phase are an ordinary convolution of the output gradient with those taps: nothing is multiplied by inserted zeros.
 * All phases are in one program, the first part of a workgroup's index says which.
 */

/** Gradient of a convolution with respect to its input, as an implicit matrix product `[pixels, taps * Co] x [taps * Co, Ci]`.
 *
 * @param batch - of the input
 * @returns `[B, H, W, Ci]`
 */
export function convInputGradient(
  backend: KernelBackend,
  dy: TensorInfo,
  filter: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const batch = dy.shape[0]
  const shape = [batch, g.inHeight, g.inWidth, g.inChannels]
  const phases = g.strideHeight * g.strideWidth
  const [gridHeight, gridWidth] = grid(g)
  const rows = batch * gridHeight * gridWidth
  const { limits } = (backend as unknown as { device: GPUDevice }).device
  const plan = planProduct(
    {
      kind: 'input',
      rows,
      columns: g.inChannels,
      inner: Math.ceil((g.filterHeight * g.filterWidth * g.outChannels) / phases),
      count: phases,
      layouts: ['rows', 'rows'],
    },
    limits,
  )
  const { tile, parts } = plan
  const result = makeGpuTensor(backend, parts > 1 ? [parts, ...shape] : shape, 'float32')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_conv_input_gradient_${geometryKey(g)}_${tileKey(tile)}`,
      inputs: [`x: ${element(g.outChannels)}`, `f: ${element(g.outChannels)}`],
      outputs: [`result: ${element(g.inChannels)}`],
      uniforms: ['rows: u32', 'tilesDown: u32', 'parts: u32', 'pixels: u32'],
      code: () => inputGradientCode(g, plan),
    },
    {
      inputs: [dy, filter],
      outputs: [result],
      uniforms: [rows, tilesDown, parts, batch * g.inHeight * g.inWidth],
      workgroups: workgroupsFor(tilesDown * Math.ceil(g.inChannels / tile.columns) * parts * phases, 1),
    },
  )
  return parts > 1 ? sumParts(backend, result, shape, parts, g.inChannels, plainFinish) : result
}

/** Input pixels of the largest phase. */
const grid = (g: ConvGeometry) => [
  Math.ceil(g.inHeight / g.strideHeight),
  Math.ceil(g.inWidth / g.strideWidth),
]

function inputGradientCode(g: ConvGeometry, { tile }: GpuPlan): string {
  const { filterHeight, filterWidth, strideHeight, strideWidth, outChannels, inChannels } = g
  const [gridHeight, gridWidth] = grid(g)
  const strided = strideHeight * strideWidth > 1
  const gather: GpuGather = {
    height: g.outHeight,
    width: g.outWidth,
    channels: outChannels,
    gridHeight,
    gridWidth,
    stride: [1, 1],
    offset: strided ? ['offsetDown', 'offsetAcross'] : [`${g.padTop}`, `${g.padLeft}`],
    reach: [-g.dilationHeight, -g.dilationWidth],
    tapsDown: strided ? 'tapsDown' : `${filterHeight}u`,
    tapsAcross: strided ? 'tapsAcross' : `${filterWidth}u`,
    outside: !(
      filterHeight * filterWidth === 1 &&
      !strided &&
      g.padTop + g.padLeft === 0 &&
      g.outHeight === g.inHeight &&
      g.outWidth === g.inWidth
    ),
    single: filterHeight * filterWidth === 1 && !strided,
  }
  const aligned = isAligned(outChannels, tile.depth)
  const phase = `
    let phaseDown = phase / ${strideWidth}u;
    let phaseAcross = phase % ${strideWidth}u;
    let tapDown = (phaseDown + ${g.padTop}u) % ${strideHeight}u;
    let tapAcross = (phaseAcross + ${g.padLeft}u) % ${strideWidth}u;
    let tapsDown = (max(${filterHeight + strideHeight - 1}u, tapDown) - tapDown) / ${strideHeight}u;
    let tapsAcross = (max(${filterWidth + strideWidth - 1}u, tapAcross) - tapAcross) / ${strideWidth}u;
    let offsetDown = (i32(phaseDown + ${g.padTop}u) - i32(tapDown)) / ${strideHeight};
    let offsetAcross = (i32(phaseAcross + ${g.padLeft}u) - i32(tapAcross)) / ${strideWidth};`
  const steps = aligned
    ? `${gather.tapsDown} * ${gather.tapsAcross} * ${outChannels / tile.depth}u`
    : `(${gather.tapsDown} * ${gather.tapsAcross} * ${outChannels}u + ${tile.depth - 1}u) / ${tile.depth}u`
  const place = strided
    ? `let picture = row / ${gridHeight * gridWidth}u;
      let pixel = row % ${gridHeight * gridWidth}u;
      let down = pixel / ${gridWidth}u * ${strideHeight}u + phaseDown;
      let across = pixel % ${gridWidth}u * ${strideWidth}u + phaseAcross;
      let place = (part * uniforms.pixels + (picture * ${g.inHeight}u + down) * ${g.inWidth}u + across) * ${inChannels}u;
      if (down < ${g.inHeight}u && across < ${g.inWidth}u) { ${storeRow(inChannels % 4 === 0, `${inChannels}u`, 'place')} }`
    : `let place = (part * uniforms.pixels + row) * ${inChannels}u; ${storeRow(inChannels % 4 === 0, `${inChannels}u`, 'place')}`
  return tiledProduct({
    tile,
    a: gatherOperand(gather, tile.depth),
    b: transposedFilter(g, tile.depth, strided),
    begin: `${shareBegin(tile, `${Math.ceil(inChannels / tile.columns)}u`, `${strideHeight * strideWidth}u`)}
      ${strided ? phase : ''}
      let steps = ${steps}; ${partSteps}
      ${gatherBegin(gather, tile.depth)}`,
    advance: gatherAdvance(gather, tile.depth),
    store: `if (row < uniforms.rows) { ${place} }`,
  })
}

/** The filter as `[inner (tap, output channel), input channel]`, read along its output channels. */
function transposedFilter(g: ConvGeometry, depth: number, strided: boolean): GpuOperand {
  const { filterWidth, strideHeight, strideWidth, outChannels, inChannels } = g
  const aligned = isAligned(outChannels, depth)
  const wide = outChannels % 4 === 0
  const tapOf = (row: string, column: string) =>
    strided
      ? `((tapDown + ${row} * ${strideHeight}u) * ${filterWidth}u + tapAcross + ${column} * ${strideWidth}u)`
      : `(${row} * ${filterWidth}u + ${column})`
  const begin = (slot: number, outer: string, inner: string) =>
    `let bChannel${slot} = min(columnBegin + ${outer}, ${inChannels - 1}u); ${slot === 0 ? `let bInner = ${inner};` : ''}`
  if (aligned) {
    return {
      layout: 'rows',
      begin: (slot, outer, inner) =>
        `${begin(slot, outer, inner)} let bBase${slot} = (bChannel${slot} * ${outChannels}u + bInner) >> 2u;`,
      step: `let bOffset = (${tapOf('tapRow', 'tapColumn')} * ${inChannels * outChannels}u + channel) >> 2u;`,
      fetch: (slot) => `f[bBase${slot} + bOffset]`,
    }
  }
  const type = element(outChannels)
  const parameters = strided ? 'tapDown: u32, tapAcross: u32, tapsAcross: u32, ' : ''
  const values = strided ? 'tapDown, tapAcross, tapsAcross, ' : ''
  return {
    layout: 'rows',
    functions: `fn readFilter(${parameters}innerSize: u32, inputChannel: u32, index: u32) -> ${type} {
      if (index >= innerSize) { return ${type}(); }
      let tap = index / ${outChannels}u;
      let tapRow = tap / ${strided ? 'tapsAcross' : `${filterWidth}u`};
      let tapColumn = tap % ${strided ? 'tapsAcross' : `${filterWidth}u`};
      let place = (${tapOf('tapRow', 'tapColumn')} * ${inChannels}u + inputChannel) * ${outChannels}u + index % ${outChannels}u;
      return f[place${wide ? ' >> 2u' : ''}];
    }
    fn readFour(${parameters}innerSize: u32, inputChannel: u32, index: u32) -> vec4<f32> {
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
