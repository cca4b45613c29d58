import type { MatrixUnits } from '../backend/engine-backend.js'
import type { GpuTiledProduct } from './tile.js'
import { emulatedMultiply, unitsMultiply, type UnitCode } from './unit-multiply.js'
import { unitOperand } from './unit-operand.js'
import {
  LANES,
  range,
  SIDE,
  unitInvocations,
  unitMemory,
  type UnitMemory,
  type UnitTile,
} from './unit-tile.js'

/* Contributor notes
 *
 * A product of halves on the GPU's matrix units (tensor cores), by the extension `chromium_experimental_subgroup_matrix`: 32 invocations, a
 * subgroup, hold matrices of 16 x 16 together and multiply them by one instruction, in f32. A workgroup brings both operands' parts into
 * workgroup memory, as they lie in their tensors: the units take either order, so that nothing is turned.
 *
 * Workgroup memory is an array of `vec4<u32>`, eight halves each, which loads of matrices accept (offset and stride are then counted
 * in these); arrays of f16 have to be written half by half. Results leave through the same memory, a strip of 16 rows for each subgroup at a
 * time: only there invocations see them as numbers.
 *
 * Sums are cut off toward zero by NVIDIA's units, at most one unit in the last place of f32 for each 16 terms
 * (`findings/subgroup-matrix-rounds-toward-zero.sh`): 2e-5 for the 4,608 terms of the longest convolution of ResNet-50, where the inputs are known to 5e-4. The long sums of filter
 * gradients are split into parts that ordinary f32 adds up.
 *
 * `emulated` multiplies in WGSL what lies in workgroup memory: slow, for any adapter, so that tests see the same places and the same sums.
 */

/** A product of halves. Operands fetch `half8`; `store` puts eight results, `low` and `high`, of row `row` at the columns from `column` on. */
export interface UnitProduct extends Omit<GpuTiledProduct, 'tile'> {
  tile: UnitTile
}

/** Extensions that programs with such a product need. */
export const unitExtensions = (units: MatrixUnits): string[] =>
  units === 'hardware' ? ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'] : []

/** WGSL of a product on matrix units; the program's declarations are the caller's. */
export function unitProduct(product: UnitProduct, units: MatrixUnits): string {
  const { tile, a, b } = product
  const memory = unitMemory(tile, [a.layout, b.layout])
  const sides = [unitOperand('a', a, tile, tile.rows, 0), unitOperand('b', b, tile, tile.columns, memory.a)]
  const each = (key: keyof (typeof sides)[0]) => sides.map((side) => side[key]).join('\n')
  const code = (units === 'hardware' ? unitsMultiply : emulatedMultiply)(tile, a, b, memory)
  const step: StepCode = {
    fetch: each('fetch'),
    put: each('put'),
    multiply: code.multiply,
    advance: `${product.advance ?? ''} ${each('advance')}`,
  }
  return /* wgsl */ `
  ${a.functions ?? ''}
  ${b.functions ?? ''}
  ${product.functions ?? ''}
  var<workgroup> memory: array<vec4<u32>, ${memory.size}>;
  ${code.functions}
  @compute @workgroup_size(${unitInvocations(tile)})
  fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32${code.parameters}) {
    ${product.begin}
    ${code.subgroup}
    let lane = local % ${LANES}u;
    let ownRow = (subgroup / ${tile.across}u) * ${tile.rows / tile.down}u;
    let ownColumn = (subgroup % ${tile.across}u) * ${tile.columns / tile.across}u;
    ${each('begin')}
    ${code.begin}
    ${loop(tile, step)}
    workgroupBarrier();
    ${results(product, memory, code)}
  }`
}

/** What happens in a step. */
interface StepCode {
  fetch: string
  put: string
  multiply: string
  advance: string
}

/** Over the inner dimension. */
const loop = ({ ahead }: UnitTile, { fetch, put, multiply, advance }: StepCode): string =>
  ahead
    ? `if (stepBegin < stepEnd) { let step = stepBegin; ${fetch} }
    for (var step = stepBegin; step < stepEnd; step++) {
      workgroupBarrier();
      ${put}
      workgroupBarrier();
      if (step + 1u < stepEnd) { ${advance} { let step = step + 1u; ${fetch} } }
      ${multiply}
    }`
    : `for (var step = stepBegin; step < stepEnd; step++) {
      ${fetch}
      workgroupBarrier();
      ${put}
      workgroupBarrier();
      ${multiply}
      ${advance}
    }`

/** The results' way to their tensor: rows of a strip by as many invocations as have eight columns of it each. */
function results({ tile, store }: UnitProduct, { strip }: UnitMemory, code: UnitCode): string {
  const matricesDown = tile.rows / tile.down / SIDE
  const stripsAcross = tile.columns / tile.across / SIDE / strip.count
  const size = SIDE * strip.line
  const inRow = 2 * strip.count
  const leave = (index: number) => {
    const [i, j] = [Math.floor(index / stripsAcross), index % stripsAcross]
    const at = `strips + ${(index % strip.copies) * size}u`
    const matrices = range(strip.count).map((k) =>
      code.strip(i, j * strip.count + k, `${at} + ${(k * SIDE) / 4}u`),
    )
    return /* wgsl */ `
    ${matrices.join('\n')}
    workgroupBarrier();
    for (var k = 0u; k < ${(SIDE * inRow) / LANES}u; k++) {
      let line = lane / ${inRow}u + k * ${LANES / inRow}u;
      let row = rowBegin + ownRow + ${i * SIDE}u + line;
      let column = columnBegin + ownColumn + ${j * strip.count * SIDE}u + (lane % ${inRow}u) * 8u;
      let begin = ${at} + line * ${strip.line}u + (lane % ${inRow}u) * 2u;
      var low = bitcast<vec4<f32>>(memory[begin]);
      var high = bitcast<vec4<f32>>(memory[begin + 1u]);
      { ${store} }
    }
    ${strip.copies === 1 ? 'workgroupBarrier();' : ''}`
  }
  return `let strips = subgroup * ${strip.copies * size}u;
    ${range(matricesDown * stripsAcross)
      .map(leave)
      .join('\n')}`
}
