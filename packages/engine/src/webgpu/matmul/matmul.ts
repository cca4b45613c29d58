import { makeGpuTensor, runGpuProgram, workgroupsFor, type GpuBackend } from '@facekit/kernels'
import { broadcast_util, util, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core'
import { FLOATS, type GpuElement } from './element.js'
import { plainFinish, type GpuFinishCode } from './finish.js'
import { planProduct, type GpuPlan } from './plan.js'
import { deservesConstants, partSteps, shareBegin, storeRow, tileKey } from './share.js'
import { sumParts } from './sum.js'
import { tiledProduct, type GpuOperand } from './tile.js'

/** Product of the matrices in the last two axes; the axes before are broadcast.
 *
 * @param a - `[..., M, K]`, transposed `[..., K, M]`
 * @param b - `[..., K, N]`, transposed `[..., N, K]`
 * @returns `[..., M, N]`
 */
export function matrixProduct(
  backend: KernelBackend,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
  finish: GpuFinishCode = plainFinish,
): TensorInfo {
  const [rows, inner] = sides(a, transposeA)
  const [columns] = sides(b, !transposeB)
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const batch = broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch)
  const count = util.sizeFromShape(batch)
  const shape = [...batch, rows, columns]
  const layouts: [GpuOperand['layout'], GpuOperand['layout']] = [
    transposeA ? 'columns' : 'rows',
    transposeB ? 'rows' : 'columns',
  ]
  const { limits } = (backend as GpuBackend).device
  const plan = planProduct({ kind: 'product', rows, columns, inner, count, layouts }, limits)
  const { tile, parts } = plan
  const split = parts > 1
  const result = makeGpuTensor(backend, split ? [parts, ...shape] : shape, 'float32')
  const ending = split ? plainFinish : finish
  const constant = deservesConstants(rows * count, columns, inner)
  const traits: Traits = {
    layouts,
    wideA: (transposeA ? rows : inner) % 4 === 0,
    wideB: (transposeB ? inner : columns) % 4 === 0,
    wide: columns % 4 === 0,
    whole: inner % tile.depth === 0,
    batch: batchCode(aBatch, bBatch, batch),
    inner: constant ? `${inner}u` : 'uniforms.inner',
    columns: constant ? `${columns}u` : 'uniforms.columns',
  }
  const tilesDown = Math.ceil(rows / tile.rows)
  runGpuProgram(
    backend,
    {
      name: `facekit_product_${traitsKey(traits)}_${tileKey(tile)}_${ending.key}_${split}`,
      inputs: [`a: ${type(traits.wideA)}`, `b: ${type(traits.wideB)}`, ...ending.inputs],
      outputs: [`result: ${type(traits.wide)}`],
      uniforms: UNIFORMS,
      code: () => productCode(traits, plan, ending),
    },
    {
      inputs: [a, b, ...ending.tensors],
      outputs: [result],
      uniforms: [rows, columns, inner, count, tilesDown, parts, finish.alpha],
      workgroups: workgroupsFor(tilesDown * Math.ceil(columns / tile.columns) * count * parts, 1),
    },
  )
  return split ? sumParts(backend, result, shape, parts, columns, finish) : result
}

const UNIFORMS = ['rows', 'columns', 'inner', 'count', 'tilesDown', 'parts']
  .map((name) => `${name}: u32`)
  .concat('alpha: f32')

/** What a program's code depends on. */
interface Traits {
  layouts: [GpuOperand['layout'], GpuOperand['layout']]
  wideA: boolean
  wideB: boolean
  wide: boolean
  /** The inner dimension is a multiple of the tile's depth. */
  whole: boolean
  batch: string
  /** Expressions. */
  inner: string
  columns: string
}

/** The code of a batch in a program's name, in words. */
export function batchKey(batch: string): string {
  const words: Record<string, string> = {
    '/': 'by',
    '%': 'mod',
    '*': 'times',
    '+': 'plus',
    '(': 'of',
    ')': 'end',
  }
  return batch
    .replace(/let (\w)Matrix = /g, '$1_')
    .replace(/[^\w\s;]/g, (sign) => `_${words[sign]}_`)
    .replace(/[\s;]+/g, '')
}

/** Traits in a program's name, which errors and profiles say: words for the code of the batch. */
function traitsKey({ layouts, wideA, wideB, wide, whole, batch, inner, columns }: Traits): string {
  const matrices = batchKey(batch)
  const flags = [wideA, wideB, wide, whole].map(Number).join('')
  return [...layouts, flags, matrices, inner, columns].join('_').replaceAll('uniforms.', '')
}

const type = (wide: boolean) => (wide ? 'vec4<f32>' : 'f32')

/** Outer and inner dimension of a matrix whose inner dimension is its last axis, or the one before. */
export function sides({ shape }: TensorInfo, innerFirst: boolean): [number, number] {
  const [first, second] = shape.slice(-2)
  return innerFirst ? [second, first] : [first, second]
}

/** Expressions for both matrices that a result's matrix comes from, `phase`: as WGSL statements. */
export function batchCode(a: number[], b: number[], batch: number[]): string {
  const strides = (shape: number[]) => {
    let stride = 1
    const result: number[] = []
    for (let axis = 1; axis <= batch.length; axis++) {
      const size = shape[shape.length - axis] ?? 1
      result.unshift(size === 1 ? 0 : stride)
      stride *= size
    }
    return result
  }
  const [aStrides, bStrides] = [strides(a), strides(b)]
  const dense = (list: number[], shape: number[]) =>
    list.every((stride, axis) => batch[axis] === 1 || (stride !== 0 && shape.length > 0))
  const none = (list: number[]) => list.every((stride) => stride === 0)
  const simple = (list: number[], shape: number[]) =>
    none(list) ? '0u' : dense(list, shape) ? 'phase' : undefined
  const [aSimple, bSimple] = [simple(aStrides, a), simple(bStrides, b)]
  if (aSimple !== undefined && bSimple !== undefined)
    return `let aMatrix = ${aSimple}; let bMatrix = ${bSimple};`
  let place = 1
  const terms: [string[], string[]] = [[], []]
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const index = `((phase / ${place}u) % ${batch[axis]}u)`
    terms[0].push(`${index} * ${aStrides[axis]}u`)
    terms[1].push(`${index} * ${bStrides[axis]}u`)
    place *= batch[axis]
  }
  return `let aMatrix = ${terms[0].join(' + ')}; let bMatrix = ${terms[1].join(' + ')};`
}

function productCode(traits: Traits, { tile, parts }: GpuPlan, finish: GpuFinishCode): string {
  const { layouts, wideA, wideB, wide, whole, inner, columns } = traits
  return tiledProduct({
    tile,
    a: matrixOperand('a', layouts[0], 'uniforms.rows', inner, 'rowBegin', wideA, tile.depth, whole),
    b: matrixOperand('b', layouts[1], columns, inner, 'columnBegin', wideB, tile.depth, whole),
    functions: finish.code,
    begin: `
      ${shareBegin(tile, columns, 'uniforms.count')}
      ${traits.batch}
      let steps = (${inner} + ${tile.depth - 1}u) / ${tile.depth}u; ${partSteps}`,
    store: `if (row < uniforms.rows) {
      ${parts > 1 ? '' : 'value = finish(value, column);'}
      let place = ((part * uniforms.count + phase) * uniforms.rows + row) * ${columns};
      ${storeRow(wide, columns, 'place')}
    }`,
  })
}

/** A matrix in binding `a` or `b`, of elements where `wide` (halves always are), its last axis the inner dimension (`rows`) or the outer one (`columns`). */
export function matrixOperand(
  name: 'a' | 'b',
  layout: GpuOperand['layout'],
  size: string,
  total: string,
  first: string,
  wide: boolean,
  depth: number,
  whole: boolean,
  element: GpuElement = FLOATS,
): GpuOperand {
  const vector = element.type
  const inRows = layout === 'rows'
  const last = inRows ? total : size
  const matrix = `${name}Matrix * ${total} * ${size}`
  const lanes = [0, 1, 2, 3]
  // Along the last axis: `index` of four neighbours, of which those that exist are read.
  const read = wide
    ? `return ${name}[(line + min(index, ${last} - ${element.width}u)) >> ${element.shift}u];`
    : `return vec4<f32>(${lanes.map((lane) => `${name}[line + min(index + ${lane}u, ${last} - 1u)]`).join(', ')});`
  const mask = inRows
    ? wide
      ? `select(${vector}(), value, inner < ${total})`
      : `select(vec4<f32>(), value, vec4<u32>(inner) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(${total}))`
    : `select(${vector}(), value, inner < ${total})`
  return {
    layout,
    functions: `fn read_${name}(line: u32, index: u32) -> ${vector} { ${read} }
      fn mask_${name}(value: ${vector}, inner: u32) -> ${vector} { return ${whole ? 'value' : mask}; }`,
    begin: (slot, outer, inner) =>
      inRows
        ? `let ${name}Line${slot} = ${matrix} + min(${first} + ${outer}, ${size} - 1u) * ${total};
          ${slot === 0 ? `let ${name}Inner = ${inner};` : ''}`
        : `let ${name}Inner${slot} = ${inner};
          ${slot === 0 ? `let ${name}Outer = ${first} + ${outer}; let ${name}Start = ${matrix};` : ''}`,
    fetch: (slot) => {
      const inner = `step * ${depth}u + ${name}Inner${inRows ? '' : slot}`
      if (inRows) return `mask_${name}(read_${name}(${name}Line${slot}, ${inner}), ${inner})`
      const line = `${name}Start + min(${inner}, ${total} - 1u) * ${size}`
      return `mask_${name}(read_${name}(${line}, ${name}Outer), ${inner})`
    },
  }
}
