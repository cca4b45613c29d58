import { looksOutside, type ConvGeometry } from './gpu-conv-geometry.js'
import type { GpuOperand } from './gpu-matmul-tile.js'

/** The picture that a product's rows are gathered from: of a forward convolution the input, of an input gradient the gradient.
 *
 * Row (batch, y, x), inner index (tap row i, tap column j, channel): pixel `(y * stride + offset + i * reach, ...)`. Names are WGSL
 * expressions: constants, or variables that the product's beginning declares.
 */
export interface GpuGather {
  /** Of the picture gathered from. */
  height: number
  width: number
  channels: number
  /** Of the rows' own grid. */
  gridHeight: number
  gridWidth: number
  stride: [number, number]
  offset: [string, string]
  reach: [number, number]
  tapsDown: string
  tapsAcross: string
  /** Whether pixels may lie outside. */
  outside: boolean
  /** Product of both counts of taps is 1. */
  single: boolean
}

export function forwardGather(g: ConvGeometry): GpuGather {
  return {
    height: g.inHeight,
    width: g.inWidth,
    channels: g.inChannels,
    gridHeight: g.outHeight,
    gridWidth: g.outWidth,
    stride: [g.strideHeight, g.strideWidth],
    offset: [`${-g.padTop}`, `${-g.padLeft}`],
    reach: [g.dilationHeight, g.dilationWidth],
    tapsDown: `${g.filterHeight}u`,
    tapsAcross: `${g.filterWidth}u`,
    outside: looksOutside(g),
    single: g.filterHeight * g.filterWidth === 1,
  }
}

/** Whether a step of the product stays within one tap of the filter. */
export const isAligned = (channels: number, depth: number): boolean => channels % depth === 0

/** State of the current step: the tap and its first channel. */
export const gatherBegin = (gather: GpuGather, depth: number): string => {
  if (!isAligned(gather.channels, depth))
    return `let innerSize = ${gather.tapsDown} * ${gather.tapsAcross} * ${gather.channels}u;`
  const parts = gather.channels / depth
  return gather.single
    ? `let tapRow = 0u; let tapColumn = 0u; var channel = stepBegin * ${depth}u;`
    : `var channel = (stepBegin % ${parts}u) * ${depth}u;
      let firstTap = stepBegin / ${parts}u;
      var tapRow = firstTap / max(1u, ${gather.tapsAcross});
      var tapColumn = firstTap - tapRow * ${gather.tapsAcross};`
}

/** From one step to the next. */
export const gatherAdvance = (gather: GpuGather, depth: number): string => {
  if (!isAligned(gather.channels, depth)) return ''
  if (gather.single) return `channel += ${depth}u;`
  return `channel += ${depth}u;
    if (channel == ${gather.channels}u) {
      channel = 0u;
      tapColumn++;
      if (tapColumn == ${gather.tapsAcross}) { tapColumn = 0u; tapRow++; }
    }`
}

/** Rows gathered from the picture in binding `x`, of vec4s if its channels are a multiple of 4. */
export function gatherOperand(gather: GpuGather, depth: number): GpuOperand {
  const { height, width, channels, gridHeight, gridWidth, stride, offset, reach, outside } = gather
  const aligned = isAligned(channels, depth)
  const wide = channels % 4 === 0
  const type = wide ? 'vec4<f32>' : 'f32'
  // Places are counted in elements of the binding.
  const unit = wide ? channels / 4 : channels
  const read = outside
    ? `let inside = u32(down) < ${height}u && u32(across) < ${width}u;
      return select(${type}(), x[select(0, place, inside)], inside);`
    : 'return x[place];'
  const readFunction = `fn readPicture(down: i32, across: i32, place: i32) -> ${type} { ${read} }`
  const begin = (slot: number, outer: string, inner: string) => `
    let aRow${slot} = min(rowBegin + ${outer}, uniforms.rows - 1u);
    let aPicture${slot} = aRow${slot} / ${gridHeight * gridWidth}u;
    let aPixel${slot} = aRow${slot} % ${gridHeight * gridWidth}u;
    let aDown${slot} = i32(aPixel${slot} / ${gridWidth}u) * ${stride[0]} + ${offset[0]};
    let aAcross${slot} = i32(aPixel${slot} % ${gridWidth}u) * ${stride[1]} + ${offset[1]};
    let aBase${slot} = ((i32(aPicture${slot}) * ${height} + aDown${slot}) * ${width} + aAcross${slot}) * ${unit}
      ${aligned ? ` + i32((${inner}) / 4u)` : ''};
    ${slot === 0 ? `let aInner = ${inner};` : ''}`
  if (aligned) {
    return {
      layout: 'rows',
      functions: readFunction,
      begin,
      step: `let aDownStep = i32(tapRow) * ${reach[0]};
        let aAcrossStep = i32(tapColumn) * ${reach[1]};
        let aOffset = (aDownStep * ${width} + aAcrossStep) * ${unit} + i32(channel / 4u);`,
      fetch: (slot) =>
        `readPicture(aDown${slot} + aDownStep, aAcross${slot} + aAcrossStep, aBase${slot} + aOffset)`,
    }
  }
  const functions = `${readFunction}
    fn gather(down: i32, across: i32, base: i32, tapsAcross: u32, innerSize: u32, index: u32) -> ${type} {
      if (index >= innerSize) { return ${type}(); }
      let tap = index / ${channels}u;
      let channel = index % ${channels}u;
      let tapRow = tap / tapsAcross;
      let downStep = i32(tapRow) * ${reach[0]};
      let acrossStep = i32(tap - tapRow * tapsAcross) * ${reach[1]};
      return readPicture(down + downStep, across + acrossStep,
        base + (downStep * ${width} + acrossStep) * ${unit} + i32(channel${wide ? ' / 4u' : ''}));
    }
    fn gatherFour(down: i32, across: i32, base: i32, tapsAcross: u32, innerSize: u32, index: u32) -> vec4<f32> {
      ${
        wide
          ? 'return gather(down, across, base, tapsAcross, innerSize, index);'
          : `var result: vec4<f32>;
      for (var lane = 0u; lane < 4u; lane++) {
        result[lane] = gather(down, across, base, tapsAcross, innerSize, index + lane);
      }
      return result;`
      }
    }`
  return {
    layout: 'rows',
    functions,
    begin,
    fetch: (slot) =>
      `gatherFour(aDown${slot}, aAcross${slot}, aBase${slot}, ${gather.tapsAcross}, innerSize, step * ${depth}u + aInner)`,
  }
}
