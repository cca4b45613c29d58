import { makeGpuTensor, runGpuProgram, workgroupsFor } from '@facekit/core'
import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { geometryKey, looksOutside, type ConvGeometry } from './gpu-conv-geometry.js'
import { plainFinish } from './gpu-matmul-finish.js'
import { planProduct, type GpuPlan } from './gpu-matmul-plan.js'
import { element, partSteps, shareBegin, storeRow, tileKey } from './gpu-matmul-share.js'
import { sumParts } from './gpu-matmul-sum.js'
import { tiledProduct, type GpuOperand } from './gpu-matmul-tile.js'

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
  const pixels = x.shape[0] * g.outHeight * g.outWidth
  const { limits } = (backend as unknown as { device: GPUDevice }).device
  const plan = planProduct(
    {
      kind: 'filter',
      rows,
      columns: g.outChannels,
      inner: pixels,
      count: 1,
      layouts: ['columns', 'columns'],
    },
    limits,
  )
  const { tile, parts } = plan
  const result = makeGpuTensor(backend, parts > 1 ? [parts, ...shape] : shape, 'float32')
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_conv_filter_gradient_${geometryKey(g)}_${tileKey(tile)}`,
      inputs: [`x: ${element(g.inChannels)}`, `dy: ${element(g.outChannels)}`],
      outputs: [`result: ${element(g.outChannels)}`],
      uniforms: ['pixels: u32', 'tilesDown: u32', 'parts: u32'],
      code: () => filterGradientCode(g, plan),
    },
    {
      inputs: [x, dy],
      outputs: [result],
      uniforms: [pixels, tilesDown, parts],
      workgroups: workgroupsFor(tilesDown * Math.ceil(g.outChannels / tile.columns) * parts, 1),
    },
  )
  return parts > 1 ? sumParts(backend, result, shape, parts, g.outChannels, plainFinish) : result
}

function filterGradientCode(g: ConvGeometry, { tile }: GpuPlan): string {
  const columns = g.outChannels
  const rows = g.filterHeight * g.filterWidth * g.inChannels
  const gradient: GpuOperand = {
    layout: 'columns',
    functions:
      columns % 4 === 0
        ? `fn readGradient(column: u32, pixel: u32) -> vec4<f32> {
            return select(vec4<f32>(), dy[(min(pixel, uniforms.pixels - 1u) * ${columns}u + column) >> 2u], pixel < uniforms.pixels);
          }`
        : `fn readGradient(column: u32, pixel: u32) -> vec4<f32> {
            if (pixel >= uniforms.pixels) { return vec4<f32>(); }
            let place = pixel * ${columns}u;
            return vec4<f32>(${[0, 1, 2, 3].map((lane) => `dy[place + min(column + ${lane}u, ${columns - 1}u)]`).join(', ')});
          }`,
    begin: (slot, outer, inner) =>
      `let bLine${slot} = ${inner};
      ${slot === 0 ? `let bColumn = min(columnBegin + ${outer}, ${columns % 4 === 0 ? columns - 4 : columns - 1}u);` : ''}`,
    fetch: (slot) => `readGradient(bColumn, step * ${tile.depth}u + bLine${slot})`,
  }
  return tiledProduct({
    tile,
    a: patches(g, tile.depth),
    b: gradient,
    begin: `${shareBegin(tile, `${Math.ceil(columns / tile.columns)}u`, '1u')}
      let steps = (uniforms.pixels + ${tile.depth - 1}u) / ${tile.depth}u; ${partSteps}`,
    store: `if (row < ${rows}u) {
      let place = (part * ${rows}u + row) * ${columns}u;
      ${storeRow(columns % 4 === 0, `${columns}u`, 'place')}
    }`,
  })
}

/** The pixels under the filter's taps: inner index is the output pixel, outer index (tap row, tap column, channel). */
function patches(g: ConvGeometry, depth: number): GpuOperand {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterWidth } = g
  const rows = g.filterHeight * filterWidth * inChannels
  const wide = inChannels % 4 === 0
  const lanes = wide ? [0] : [0, 1, 2, 3]
  const type = element(inChannels)
  const unit = wide ? inChannels / 4 : inChannels
  const outside = looksOutside(g)
  const plain = g.filterHeight * filterWidth * g.strideHeight * g.strideWidth === 1 && !outside
  const functions = plain
    ? `fn readPatch(row: u32, pixel: u32) -> ${type} {
        return select(${type}(), x[min(pixel, uniforms.pixels - 1u) * ${unit}u + row], pixel < uniforms.pixels);
      }`
    : `fn readPatch(down: i32, across: i32, place: i32, valid: bool) -> ${type} {
        let inside = valid${outside ? ` && u32(down) < ${inHeight}u && u32(across) < ${inWidth}u` : ''};
        return select(${type}(), x[select(0, place, inside)], inside);
      }`
  const begin = (slot: number, outer: string, inner: string) => {
    const lines = [`let aLine${slot} = ${inner};`]
    if (slot === 0) {
      for (const lane of lanes) {
        lines.push(`let aRow${lane} = min(rowBegin + ${outer} + ${lane}u, ${wide ? rows - 4 : rows - 1}u);`)
        if (plain) {
          lines.push(`let aBase${lane} = aRow${lane}${wide ? ' >> 2u' : ''};`)
          continue
        }
        lines.push(`let aTap${lane} = aRow${lane} / ${inChannels}u;
          let aDown${lane} = i32(aTap${lane} / ${filterWidth}u) * ${g.dilationHeight} - ${g.padTop};
          let aAcross${lane} = i32(aTap${lane} % ${filterWidth}u) * ${g.dilationWidth} - ${g.padLeft};
          let aBase${lane} = (aDown${lane} * ${inWidth} + aAcross${lane}) * ${unit} + i32((aRow${lane} % ${inChannels}u)${wide ? ' >> 2u' : ''});`)
      }
    }
    return lines.join('\n')
  }
  const fetch = (slot: number) => {
    const values = lanes.map((lane) =>
      plain
        ? `readPatch(aBase${lane}, step * ${depth}u + aLine${slot})`
        : `readPatch(aY${slot} + aDown${lane}, aX${slot} + aAcross${lane}, aPlace${slot} + aBase${lane}, aPixel${slot} < uniforms.pixels)`,
    )
    return wide ? values[0] : `vec4<f32>(${values.join(', ')})`
  }
  return {
    layout: 'columns',
    functions,
    begin,
    fetch,
    ...(!plain && {
      fetchBegin: (slot: number) => `
        let aPixel${slot} = step * ${depth}u + aLine${slot};
        let aRest${slot} = aPixel${slot} % ${outHeight * outWidth}u;
        let aY${slot} = i32(aRest${slot} / ${outWidth}u) * ${g.strideHeight};
        let aX${slot} = i32(aRest${slot} % ${outWidth}u) * ${g.strideWidth};
        let aPlace${slot} = ((i32(aPixel${slot} / ${outHeight * outWidth}u) * ${inHeight} + aY${slot}) * ${inWidth} + aX${slot}) * ${unit};`,
    }),
  }
}
