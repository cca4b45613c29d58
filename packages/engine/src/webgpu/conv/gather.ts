import { looksOutside, type ConvGeometry, type SizeExpressions } from './geometry.js'
import { FLOATS, type GpuElement } from '../matmul/element.js'
import type { GpuOperand } from '../matmul/tile.js'

/** The picture that a product's rows are gathered from: of a forward convolution the input, of an input gradient the gradient.
 *
 * Row (batch, y, x), inner index (tap row i, tap column j, channel): pixel `(y * stride + offset + i * reach, ...)`. Strings are WGSL
 * expressions, of type u32 unless said.
 */
export interface GpuGather {
  /** Of the picture gathered from. */
  height: string
  width: string
  channels: string
  /** Of the rows' own grid. */
  gridHeight: string
  gridWidth: string
  stride: [string, string]
  /** i32 */
  offset: [string, string]
  /** i32 */
  reach: [string, string]
  taps: [string, string]
  /** What the picture is bound as where `wide`. */
  element: GpuElement
  /** Whether the picture is bound as such, not number by number: its channels are a multiple of its width. */
  wide: boolean
  /** Whether every step of the product stays within one tap: the channels are a multiple of the depth. */
  aligned: boolean
  /** Whether pixels may lie outside. */
  outside: boolean
  /** One tap only. */
  single: boolean
}

export function forwardGather(
  g: ConvGeometry,
  { names }: SizeExpressions,
  depth: number,
  element = FLOATS,
): GpuGather {
  return {
    height: names.inHeight,
    width: names.inWidth,
    channels: names.inChannels,
    gridHeight: names.outHeight,
    gridWidth: names.outWidth,
    stride: [names.strideHeight, names.strideWidth],
    offset: [`-i32(${names.padTop})`, `-i32(${names.padLeft})`],
    reach: [`i32(${names.dilationHeight})`, `i32(${names.dilationWidth})`],
    taps: [names.filterHeight, names.filterWidth],
    element,
    wide: g.inChannels % element.width === 0,
    aligned: g.inChannels % depth === 0,
    outside: looksOutside(g),
    single: g.filterHeight * g.filterWidth === 1,
  }
}

/** Steps that the inner dimension takes. */
export const gatherSteps = ({ taps, channels, aligned }: GpuGather, depth: number): string =>
  aligned
    ? `(${taps[0]} * ${taps[1]} * (${channels} / ${depth}u))`
    : `((${taps[0]} * ${taps[1]} * ${channels} + ${depth - 1}u) / ${depth}u)`

/** State of the current step: the tap and its first channel. */
export function gatherBegin({ taps, channels, aligned, single }: GpuGather, depth: number): string {
  if (!aligned) return `let innerSize = ${taps[0]} * ${taps[1]} * ${channels};`
  if (single) return `let tapRow = 0u; let tapColumn = 0u; var channel = stepBegin * ${depth}u;`
  return `let stepsOfTap = ${channels} / ${depth}u;
    let firstTap = stepBegin / stepsOfTap;
    var channel = (stepBegin - firstTap * stepsOfTap) * ${depth}u;
    var tapRow = firstTap / max(1u, ${taps[1]});
    var tapColumn = firstTap - tapRow * ${taps[1]};`
}

/** From one step to the next. */
export function gatherAdvance({ taps, channels, aligned, single }: GpuGather, depth: number): string {
  if (!aligned) return ''
  if (single) return `channel += ${depth}u;`
  return `channel += ${depth}u;
    if (channel == ${channels}) {
      channel = 0u;
      tapColumn++;
      if (tapColumn == ${taps[1]}) { tapColumn = 0u; tapRow++; }
    }`
}

/** Rows gathered from the picture in binding `x`. Halves are always `wide`. */
export function gatherOperand(gather: GpuGather, depth: number): GpuOperand {
  const { height, width, channels, gridHeight, gridWidth, stride, offset, reach, taps } = gather
  const { wide, aligned, outside, element } = gather
  const type = wide ? element.type : 'f32'
  const shift = `>> ${element.shift}u`
  // Places are counted in elements of the binding.
  const unit = wide ? `i32(${channels} ${shift})` : `i32(${channels})`
  const read = outside
    ? `let inside = u32(down) < ${height} && u32(across) < ${width};
      return select(${type}(), x[select(0, place, inside)], inside);`
    : 'return x[place];'
  const readFunction = `fn readPicture(down: i32, across: i32, place: i32) -> ${type} { ${read} }`
  const begin = (slot: number, outer: string, inner: string) => `
    let aRow${slot} = min(rowBegin + ${outer}, uniforms.rows - 1u);
    let aLine${slot} = aRow${slot} / ${gridWidth};
    let aPicture${slot} = aLine${slot} / ${gridHeight};
    let aDown${slot} = i32((aLine${slot} - aPicture${slot} * ${gridHeight}) * ${stride[0]}) + ${offset[0]};
    let aAcross${slot} = i32((aRow${slot} - aLine${slot} * ${gridWidth}) * ${stride[1]}) + ${offset[1]};
    let aBase${slot} = ((i32(aPicture${slot} * ${height}) + aDown${slot}) * i32(${width}) + aAcross${slot}) * ${unit}
      ${aligned ? ` + i32((${inner}) ${shift})` : ''};
    ${slot === 0 ? `let aInner = ${inner};` : ''}`
  if (aligned) {
    return {
      layout: 'rows',
      functions: readFunction,
      begin,
      step: `let aDownStep = i32(tapRow) * ${reach[0]};
        let aAcrossStep = i32(tapColumn) * ${reach[1]};
        let aOffset = (aDownStep * i32(${width}) + aAcrossStep) * ${unit} + i32(channel ${shift});`,
      fetch: (slot) =>
        `readPicture(aDown${slot} + aDownStep, aAcross${slot} + aAcrossStep, aBase${slot} + aOffset)`,
    }
  }
  return {
    layout: 'rows',
    functions: `${readFunction}
    fn gather(down: i32, across: i32, base: i32, tapsAcross: u32, innerSize: u32, index: u32) -> ${type} {
      if (index >= innerSize) { return ${type}(); }
      let tap = index / ${channels};
      let channel = index % ${channels};
      let tapRow = tap / tapsAcross;
      let downStep = i32(tapRow) * ${reach[0]};
      let acrossStep = i32(tap - tapRow * tapsAcross) * ${reach[1]};
      return readPicture(down + downStep, across + acrossStep,
        base + (downStep * i32(${width}) + acrossStep) * ${unit} + i32(channel${wide ? ` ${shift}` : ''}));
    }
    fn gatherFour(down: i32, across: i32, base: i32, tapsAcross: u32, innerSize: u32, index: u32) -> ${element.type} {
      ${
        wide
          ? 'return gather(down, across, base, tapsAcross, innerSize, index);'
          : `var result: vec4<f32>;
      for (var lane = 0u; lane < 4u; lane++) {
        result[lane] = gather(down, across, base, tapsAcross, innerSize, index + lane);
      }
      return result;`
      }
    }`,
    begin,
    fetch: (slot) =>
      `gatherFour(aDown${slot}, aAcross${slot}, aBase${slot}, ${taps[1]}, innerSize, step * ${depth}u + aInner)`,
  }
}
