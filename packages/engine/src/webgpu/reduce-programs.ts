import type { GpuProgram } from '@facekit/kernels'
import { isNaNCode } from './nan.js'
import { forEachRow, GROUP, GROUP_PARAMETERS, vectorType } from './columns.js'

export type Reduction = 'sum' | 'prod' | 'max' | 'min'

const scalarType = (dtype: 'float32' | 'int32') => (dtype === 'float32' ? 'f32' : 'i32')

/** `combine` of two values of the type, and where to start: maxima start with a member, as WGSL has no infinity. */
function operation(reduction: Reduction, type: string, scalar: string) {
  const start = { sum: `${type}(0)`, prod: `${type}(1)`, max: 'first', min: 'first' }[reduction]
  const body = {
    sum: 'return a + b;',
    prod: 'return a * b;',
    max: extremum('>'),
    min: extremum('<'),
  }[reduction]
  function extremum(sign: string) {
    if (scalar === 'i32') return `return select(a, b, b ${sign} a);`
    return `
      let isNan = ${isNaNCode('a', type)};
      let otherNan = ${isNaNCode('b', type)};
      return select(select(a, b, b ${sign} a), select(b, a, isNan), isNan | otherNan);`
  }
  return { start, combine: (name: string) => `fn ${name}(a: ${type}, b: ${type}) -> ${type} { ${body} }` }
}

/** A float result is divided; an integer one is not. */
const divided = (scalar: string, value: string) => (scalar === 'f32' ? `${value} / uniforms.divisor` : value)

/** One thread for each result. */
export function threadProgram(reduction: Reduction, dtype: 'float32' | 'int32', load: 1 | 4): GpuProgram {
  const scalar = scalarType(dtype)
  const type = vectorType(load, scalar)
  return {
    name: `facekit_reduce_${reduction}_thread_${scalar}_${load}`,
    inputs: [`x: ${type}`],
    outputs: [`result: ${type}`],
    uniforms: ['results: u32', 'size: u32', 'columns: u32', 'divisor: f32'],
    code: () => {
      const { start, combine } = operation(reduction, type, scalar)
      return /* wgsl */ `
        ${combine('combine')}
        @compute @workgroup_size(64)
        fn main(${GROUP_PARAMETERS}) {
          ${GROUP}
          let index = group * 64u + local;
          if (index >= uniforms.results) { return; }
          let row = index / uniforms.columns;
          let offset = row * uniforms.size * uniforms.columns + (index - row * uniforms.columns);
          let first = x[offset];
          var total = ${start};
          for (var i = 0u; i < uniforms.size; i++) { total = combine(total, x[offset + i * uniforms.columns]); }
          result[index] = ${divided(scalar, 'total')};
        }`
    },
  }
}

/** `lanes` threads side by side for each row, or part of one. */
export function rowProgram(
  reduction: Reduction,
  dtype: 'float32' | 'int32',
  load: 1 | 4,
  lanes: number,
): GpuProgram {
  const threads = Math.max(64, lanes)
  const scalar = scalarType(dtype)
  const type = vectorType(load, scalar)
  return {
    name: `facekit_reduce_${reduction}_rows_${scalar}_${load}_${lanes}`,
    inputs: [`x: ${type}`],
    outputs: [`result: ${scalar}`],
    uniforms: ['results: u32', 'size: u32', 'chunks: u32', 'chunkSize: u32', 'divisor: f32'],
    code: () => {
      const { start, combine } = operation(reduction, type, scalar)
      const single = operation(reduction, scalar, scalar)
      const folded =
        load === 4 ? 'combineOne(combineOne(total.x, total.y), combineOne(total.z, total.w))' : 'total'
      return /* wgsl */ `
        ${combine('combine')}
        ${single.combine('combineOne')}
        var<workgroup> totals: array<${scalar}, ${threads}>;
        @compute @workgroup_size(${threads})
        fn main(${GROUP_PARAMETERS}) {
          let lane = local % ${lanes}u;
          ${GROUP}
          // Threads past the last result do its work again: all of them must reach the barriers.
          let item = group * ${threads / lanes}u + local / ${lanes}u;
          let index = min(item, uniforms.results - 1u);
          let row = index / uniforms.chunks;
          let begin = (index - row * uniforms.chunks) * uniforms.chunkSize;
          let end = min(begin + uniforms.chunkSize, uniforms.size);
          let offset = row * uniforms.size;
          let first = x[offset + begin];
          var total = ${start};
          ${forEachRow(
            'begin + lane',
            'end',
            lanes,
            (i, k) => `let value${k} = x[offset + ${i}];`,
            (k) => `total = combine(total, value${k});`,
          )}
          totals[local] = ${folded};
          workgroupBarrier();
          for (var step = ${lanes >> 1}u; step > 0u; step /= 2u) {
            if (lane < step) { totals[local] = combineOne(totals[local], totals[local + step]); }
            workgroupBarrier();
          }
          if (lane == 0u && item < uniforms.results) { result[item] = ${divided(scalar, 'totals[local]')}; }
        }`
    },
  }
}

/** Tiles of columns, `width` loads wide. */
export function columnProgram(
  reduction: Reduction,
  dtype: 'float32' | 'int32',
  load: 1 | 4,
  threads: number,
  width: number,
): GpuProgram {
  const scalar = scalarType(dtype)
  const type = vectorType(load, scalar)
  const height = threads / width
  return {
    name: `facekit_reduce_${reduction}_columns_${scalar}_${load}_${threads}_${width}`,
    inputs: [`x: ${type}`],
    outputs: [`result: ${type}`],
    uniforms: [
      'tiles: u32',
      'chunks: u32',
      'outer: u32',
      'size: u32',
      'columns: u32',
      'chunkSize: u32',
      'divisor: f32',
    ],
    code: () => {
      const { start, combine } = operation(reduction, type, scalar)
      return /* wgsl */ `
        ${combine('combine')}
        var<workgroup> totals: array<${type}, ${threads}>;
        @compute @workgroup_size(${threads})
        fn main(${GROUP_PARAMETERS}) {
          ${GROUP}
          let stripe = group / uniforms.tiles;
          let outer = stripe / uniforms.chunks;
          if (outer >= uniforms.outer) { return; }
          let begin = (stripe - outer * uniforms.chunks) * uniforms.chunkSize;
          let end = min(begin + uniforms.chunkSize, uniforms.size);
          let column = (group - stripe * uniforms.tiles) * ${width}u + local % ${width}u;
          let row = local / ${width}u;
          let offset = outer * uniforms.size * uniforms.columns + min(column, uniforms.columns - 1u);
          let first = x[offset + begin * uniforms.columns];
          var total = ${start};
          ${forEachRow(
            'begin + row',
            'end',
            height,
            (i, k) => `let value${k} = x[offset + ${i} * uniforms.columns];`,
            (k) => `total = combine(total, value${k});`,
          )}
          totals[local] = total;
          workgroupBarrier();
          for (var step = ${height >> 1}u; step > 0u; step /= 2u) {
            if (row < step) { totals[local] = combine(totals[local], totals[local + step * ${width}u]); }
            workgroupBarrier();
          }
          if (row == 0u && column < uniforms.columns) {
            result[stripe * uniforms.columns + column] = ${divided(scalar, 'totals[local]')};
          }
        }`
    },
  }
}
