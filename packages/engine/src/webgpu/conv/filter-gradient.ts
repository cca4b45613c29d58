import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuBackend } from '@facekit/kernels'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { looksOutside, sizeExpressions, type ConvGeometry, type SizeExpressions } from './geometry.js'
import { FLOATS, type GpuElement } from '../matmul/element.js'
import { plainFinish } from '../matmul/finish.js'
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
import { tiledProduct, type GpuOperand } from '../matmul/tile.js'

/** Gradient of a convolution with respect to its filter, as an implicit matrix product over all output pixels:
 * `[k * k * Ci, B * Ho * Wo] x [B * Ho * Wo, Co]`. The results are few and the sum is long, so it is split.
 *
 * @returns `[kh, kw, Ci, Co]`
 */
export function convFilterGradient(
  backend: KernelBackend,
  x: TensorInfo,
  dy: TensorInfo,
  g: ConvGeometry,
): TensorInfo {
  const shape = [g.filterHeight, g.filterWidth, g.inChannels, g.outChannels]
  const rows = g.filterHeight * g.filterWidth * g.inChannels
  const columns = g.outChannels
  const pixels = x.shape[0] * g.outHeight * g.outWidth
  const { limits } = (backend as GpuBackend).device
  const { tile, parts } = planProduct(
    { kind: 'filter', rows, columns, inner: pixels, count: 1, layouts: ['columns', 'columns'] },
    limits,
  )
  const result = makeGpuTensor(backend, parts > 1 ? [parts, ...shape] : shape, 'float32')
  const wide = g.inChannels % 4 === 0
  const wideColumns = columns % 4 === 0
  const sizes = sizeExpressions(g, !wide || deservesConstants(rows, columns, pixels))
  const across = sizes.names.outChannels
  const { filterHeight, filterWidth, inChannels } = sizes.names
  const down = `(${filterHeight} * ${filterWidth} * ${inChannels})`
  const outside = looksOutside(g)
  // Pixels of the input are those of the output.
  const plain = wide && !outside && rows === g.inChannels && g.strideHeight * g.strideWidth === 1
  const traits = [wide, wideColumns, outside, plain].map(Number).join('')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_conv_filter_gradient_${traits}_${sizes.key}_${tileKey(tile)}`,
      inputs: [`x: ${element(g.inChannels)}`, `dy: ${element(columns)}`],
      outputs: [`result: ${element(columns)}`],
      uniforms: [...UNIFORMS, ...sizes.uniforms],
      code: () =>
        tiledProduct({
          tile,
          a: filterGradientPixels(sizes, { plain, wide, outside }, tile.depth, FLOATS),
          b: linesOperand('dy', across, wideColumns, tile.depth, 'uniforms.pixels'),
          begin: `${shareBegin(tile, across, '1u')}
            let steps = (uniforms.pixels + ${tile.depth - 1}u) / ${tile.depth}u; ${partSteps}`,
          store: `if (row < ${down}) {
            let place = (part * ${down} + row) * ${across};
            ${storeRow(wideColumns, across, 'place')}
          }`,
        }),
    },
    {
      inputs: [x, dy],
      outputs: [result],
      uniforms: [tilesDown, parts, pixels, ...sizes.values],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * parts, 1),
    },
  )
  return parts > 1 ? sumParts(backend, result, shape, parts, columns, plainFinish) : result
}

const UNIFORMS = ['tilesDown', 'parts', 'pixels'].map((name) => `${name}: u32`)

/** How the input is read. */
interface PixelTraits {
  /** Pixels of the input are those of the output. */
  plain: boolean
  wide: boolean
  outside: boolean
}

/** The left operand: outer index (tap row, tap column, channel), inner index the output's pixel. Programs have the uniform `pixels`. */
export function filterGradientPixels(
  sizes: SizeExpressions,
  { plain, wide, outside }: PixelTraits,
  depth: number,
  element: GpuElement,
): GpuOperand {
  const { filterHeight, filterWidth, inChannels } = sizes.names
  if (plain) return plainPixels(inChannels, depth, element)
  return patches(sizes, `(${filterHeight} * ${filterWidth} * ${inChannels})`, wide, outside, depth, element)
}

/** The input of a filter of one tap: `[pixels, channels]` as it lies there. */
function plainPixels(channels: string, depth: number, { type, width, shift }: GpuElement): GpuOperand {
  return {
    layout: 'columns',
    begin: (slot, outer, inner) =>
      `let aLine${slot} = ${inner};
      ${slot === 0 ? `let aChannel = min(rowBegin + ${outer}, ${channels} - ${width}u);` : ''}`,
    fetch: (slot) => {
      const pixel = `step * ${depth}u + aLine${slot}`
      const place = `(min(${pixel}, uniforms.pixels - 1u) * ${channels} + aChannel) >> ${shift}u`
      return `select(${type}(), x[${place}], ${pixel} < uniforms.pixels)`
    },
  }
}

/** The pixels under the filter's taps: inner index is the output pixel, outer index (tap row, tap column, channel). */
function patches(
  { names }: SizeExpressions,
  rows: string,
  wide: boolean,
  outside: boolean,
  depth: number,
  element: GpuElement,
): GpuOperand {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterWidth } = names
  const lanes = wide ? [0] : [0, 1, 2, 3]
  const type = wide ? element.type : 'f32'
  const shift = `>> ${element.shift}u`
  const unit = wide ? `i32(${inChannels} ${shift})` : `i32(${inChannels})`
  const taps = (outer: string) =>
    lanes.map(
      (lane) => `
      let aRow${lane} = min(rowBegin + ${outer} + ${lane}u, ${rows} - ${wide ? element.width : 1}u);
      let aTap${lane} = aRow${lane} / ${inChannels};
      let aTapRow${lane} = aTap${lane} / ${filterWidth};
      let aDown${lane} = i32(aTapRow${lane} * ${names.dilationHeight}) - i32(${names.padTop});
      let aAcross${lane} = i32((aTap${lane} - aTapRow${lane} * ${filterWidth}) * ${names.dilationWidth}) - i32(${names.padLeft});
      let aChannel${lane} = aRow${lane} - aTap${lane} * ${inChannels};
      let aBase${lane} = (aDown${lane} * i32(${inWidth}) + aAcross${lane}) * ${unit} + i32(aChannel${lane}${wide ? ` ${shift}` : ''});`,
    )
  return {
    layout: 'columns',
    functions: `fn readPatch(down: i32, across: i32, place: i32, valid: bool) -> ${type} {
        let inside = valid${outside ? ` && u32(down) < ${inHeight} && u32(across) < ${inWidth}` : ''};
        return select(${type}(), x[select(0, place, inside)], inside);
      }
      // From one step to the next, one carry in each axis is enough.
      struct Pixel { picture: u32, y: u32, x: u32 }
      fn advancePixel(pixel: Pixel, by: Pixel) -> Pixel {
        var next = Pixel(pixel.picture + by.picture, pixel.y + by.y, pixel.x + by.x);
        if (next.x >= ${outWidth}) { next.x -= ${outWidth}; next.y++; }
        if (next.y >= ${outHeight}) { next.y -= ${outHeight}; next.picture++; }
        return next;
      }
      fn pixelOf(index: u32) -> Pixel {
        let line = index / ${outWidth};
        let picture = line / ${outHeight};
        return Pixel(picture, line - picture * ${outHeight}, index - line * ${outWidth});
      }`,
    begin: (slot, outer, inner) =>
      `${slot === 0 ? `${taps(outer).join('\n')} let aBy = pixelOf(${depth}u);` : ''}
      let aLine${slot} = ${inner};
      var aPixel${slot} = pixelOf(stepBegin * ${depth}u + aLine${slot});`,
    advance: (slot) => `aPixel${slot} = advancePixel(aPixel${slot}, aBy);`,
    fetchBegin: (slot) => `
      let aY${slot} = i32(aPixel${slot}.y * ${names.strideHeight});
      let aX${slot} = i32(aPixel${slot}.x * ${names.strideWidth});
      let aPlace${slot} = ((i32(aPixel${slot}.picture * ${inHeight}) + aY${slot}) * i32(${inWidth}) + aX${slot}) * ${unit};
      let aValid${slot} = step * ${depth}u + aLine${slot} < uniforms.pixels;`,
    fetch: (slot) => {
      const values = lanes.map(
        (lane) =>
          `readPatch(aY${slot} + aDown${lane}, aX${slot} + aAcross${lane}, aPlace${slot} + aBase${lane}, aValid${slot})`,
      )
      return wide ? values[0] : `vec4<f32>(${values.join(', ')})`
    },
  }
}
