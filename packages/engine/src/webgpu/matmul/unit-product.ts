import type { MatrixUnits } from '../backend/engine-backend.js'
import type { GpuOperand, GpuTiledProduct } from './tile.js'

/* Contributor notes
 *
 * A product of halves on the GPU's matrix units (tensor cores), by the extension `chromium_experimental_subgroup_matrix`: 32 invocations, a
 * subgroup, hold matrices of 16 x 16 together and multiply them by one instruction, in f32. A workgroup brings both operands' parts into
 * workgroup memory, as they lie in their tensors: the units take either order, so that nothing is turned. The next part is on
 * its way, in registers, while this one is multiplied, and goes to the other copy of that memory.
 *
 * Workgroup memory is an array of `vec4<u32>`, eight halves each, which loads of matrices accept (offset and stride are then counted
 * in these); arrays of f16 have to be written half by half. Lines are one vec4 longer than need be, so that the eight lines of a
 * load lie in different banks.
 *
 * Sums are cut off toward zero by NVIDIA's units, at most one unit in the last place of f32 for each 16 terms
 * (`findings/subgroup-matrix-rounds-toward-zero.sh`): 2e-5 for the 4,608 terms of the longest convolution of ResNet-50, where the inputs are known to 5e-4. The long sums of filter
 * gradients are split into parts that ordinary f32 adds up.
 *
 * Results go through workgroup memory, a strip of 16 rows for each subgroup at a time: only there invocations see them as numbers.
 *
 * `emulated` multiplies in WGSL what lies in workgroup memory, each invocation 8 numbers of a matrix of 16 x 16: slow, for any adapter, so
 * that tests see the same places and the same sums.
 */

/** How a product of halves is cut into pieces. */
export interface UnitTile {
  /** Rows and columns of the result in a workgroup. */
  rows: number
  columns: number
  /** Steps along the inner dimension at a time, a multiple of 16. */
  depth: number
  /** Subgroups of a workgroup, down and across. */
  down: number
  across: number
  /** Copies of the operands' parts in workgroup memory: with two, one barrier a step, with one, larger parts. */
  copies: 1 | 2
}

/** A product of halves. Operands fetch `half8`; `store` puts eight results, `low` and `high`, of row `row` at the columns from `column` on. */
export interface UnitProduct extends Omit<GpuTiledProduct, 'tile'> {
  tile: UnitTile
}

/** Extensions that programs with such a product need. */
export const unitExtensions = (units: MatrixUnits): string[] =>
  units === 'hardware' ? ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'] : []

/** Side of the matrices. */
const SIDE = 16
/** Invocations of a subgroup. */
const LANES = 32
/** Bytes of workgroup memory that a workgroup takes at most: what NVIDIA's Vulkan driver offers. */
const MOST_BYTES = 49_152

/** How results leave: matrices side by side at a time, and the length of their lines in workgroup memory, in vec4s: one longer than need be, so
 * that lines lie in different banks, where there is room. */
interface Strip {
  count: number
  line: number
}

const STRIPS: readonly Strip[] = [
  { count: 2, line: 9 },
  { count: 2, line: 8 },
  { count: 1, line: 5 },
  { count: 1, line: 4 },
]

export const unitInvocations = (tile: UnitTile): number => LANES * tile.down * tile.across

type Layouts = readonly [GpuOperand['layout'], GpuOperand['layout']]

/** Bytes of workgroup memory. */
export const unitWorkgroupBytes = (tile: UnitTile, layouts: Layouts): number =>
  operandBytes(tile, layouts) + stripBytes(tile, stripOf(tile, layouts))

const operandBytes = (tile: UnitTile, [a, b]: Layouts) =>
  16 * tile.copies * (partSize(tile, tile.rows, a) + partSize(tile, tile.columns, b))

const stripBytes = (tile: UnitTile, { line }: Strip) => 16 * tile.down * tile.across * SIDE * line

function stripOf(tile: UnitTile, layouts: Layouts): Strip {
  const room = MOST_BYTES - operandBytes(tile, layouts)
  const matricesAcross = tile.columns / tile.across / SIDE
  const fits = (strip: Strip) => matricesAcross % strip.count === 0 && stripBytes(tile, strip) <= room
  return STRIPS.find(fits) ?? STRIPS[STRIPS.length - 1]
}

/** Lines of an operand in workgroup memory, and their length in vec4s. */
const linesOf = (tile: UnitTile, outer: number, layout: GpuOperand['layout']) =>
  layout === 'rows' ? { lines: outer, vectors: tile.depth / 8 } : { lines: tile.depth, vectors: outer / 8 }

function partSize(tile: UnitTile, outer: number, layout: GpuOperand['layout']): number {
  const { lines, vectors } = linesOf(tile, outer, layout)
  return lines * (vectors + 1)
}

/** For benchmarks: how halves lie in workgroup memory. */
export const unitMemory: { kind: 'words' | 'quads' | 'halves' | 'view' } = { kind: 'words' }

/** Halves in an element of workgroup memory as loads of matrices see it. */
const halvesOf = () => ({ words: 8, quads: 4, halves: 1, view: 1 })[unitMemory.kind]

const range = (count: number) => Array.from({ length: count }, (_, i) => i)

/** WGSL of a product on matrix units; the program's declarations are the caller's. */
export function unitProduct(product: UnitProduct, units: MatrixUnits): string {
  const { tile, a, b } = product
  const threads = unitInvocations(tile)
  const strip = stripOf(tile, [a.layout, b.layout])
  const sides = [
    operandCode('a', a, tile, tile.rows, threads, units),
    operandCode('b', b, tile, tile.columns, threads, units),
  ]
  const each = (key: 'memory' | 'begin' | 'fetch' | 'advance' | 'put') =>
    sides.map((side) => side[key]).join('\n')
  const code = units === 'hardware' ? hardware(tile, a, b, strip) : emulation(tile, a, b, strip)
  const [down, across] = [tile.rows / tile.down, tile.columns / tile.across]
  const leave = (i: number, j: number) => /* wgsl */ `
    ${range(strip.count)
      .map((k) => code.strip(i, j * strip.count + k, `strip + ${(k * SIDE) / 4}u`))
      .join('\n')}
    workgroupBarrier();
    {
      let row = rowBegin + ownRow + ${i * SIDE}u + lane / 2u;
      for (var k = 0u; k < ${strip.count}u; k++) {
        let octet = (lane & 1u) * ${strip.count}u + k;
        let column = columnBegin + ownColumn + ${j * strip.count * SIDE}u + octet * 8u;
        let begin = strip + (lane / 2u) * ${strip.line}u + octet * 2u;
        var low = strips[begin];
        var high = strips[begin + 1u];
        { ${product.store} }
      }
    }
    workgroupBarrier();`
  return /* wgsl */ `
  ${a.functions ?? ''}
  ${b.functions ?? ''}
  ${product.functions ?? ''}
  ${each('memory')}
  var<workgroup> strips: array<vec4<f32>, ${tile.down * tile.across * SIDE * strip.line}>;
  ${code.functions}
  @compute @workgroup_size(${threads})
  fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32${code.parameters}) {
    ${product.begin}
    ${code.subgroup}
    let lane = local % ${LANES}u;
    let ownRow = (subgroup / ${tile.across}u) * ${down}u;
    let ownColumn = (subgroup % ${tile.across}u) * ${across}u;
    ${each('begin')}
    ${code.begin}
    if (stepBegin < stepEnd) {
      let step = stepBegin;
      ${each('fetch')}
      let aPlaceNow = aPlace; let bPlaceNow = bPlace;
      ${each('put')}
    }
    workgroupBarrier();
    var side = 0u;
    for (var step = stepBegin; step < stepEnd; step++) {
      let more = step + 1u < stepEnd;
      if (more) {
        ${product.advance ?? ''}
        ${each('advance')}
        { let step = step + 1u; ${each('fetch')} }
      }
      let aBegin = side * ${partSize(tile, tile.rows, a.layout)}u;
      let bBegin = side * ${partSize(tile, tile.columns, b.layout)}u;
      ${code.multiply}
      ${tile.copies === 2 ? 'side = 1u - side;' : 'workgroupBarrier();'}
      if (more) {
        let aPlaceNow = side * ${partSize(tile, tile.rows, a.layout)}u + aPlace;
        let bPlaceNow = side * ${partSize(tile, tile.columns, b.layout)}u + bPlace;
        ${each('put')}
      }
      workgroupBarrier();
    }
    let strip = subgroup * ${SIDE * strip.line}u;
    ${range(down / SIDE)
      .flatMap((i) => range(across / SIDE / strip.count).map((j) => leave(i, j)))
      .join('\n')}
  }`
}

/** An operand's way from its tensor to workgroup memory. */
function operandCode(
  name: 'a' | 'b',
  operand: GpuOperand,
  tile: UnitTile,
  outer: number,
  threads: number,
  units: MatrixUnits,
) {
  const { lines, vectors } = linesOf(tile, outer, operand.layout)
  const slots = (lines * vectors) / threads
  const linesAtOnce = threads / vectors
  if (!Number.isInteger(slots) || !Number.isInteger(linesAtOnce))
    throw new Error(`unitProduct: ${threads} invocations cannot share the parts of ${JSON.stringify(tile)}`)
  const begin = range(slots).map((slot) => {
    const line = `${name}Line + ${slot * linesAtOnce}u`
    const vector = `${name}Vector * 8u`
    return operand.layout === 'rows' ? operand.begin(slot, line, vector) : operand.begin(slot, vector, line)
  })
  const size = tile.copies * partSize(tile, outer, operand.layout)
  const kind = units === 'hardware' ? unitMemory.kind : 'words'
  const memory = {
    words: `var<workgroup> ${name}Part: array<vec4<u32>, ${size}>;`,
    quads: `var<workgroup> ${name}Part: array<vec4<f16>, ${2 * size}>;`,
    halves: `var<workgroup> ${name}Part: array<f16, ${8 * size}>;`,
    view: `var<workgroup> ${name}Part: buffer<${16 * size}>;`,
  }[kind]
  const store = (place: string, value: string) =>
    ({
      words: `${name}Part[${place}] = ${value};`,
      quads: `{ let o = (${place}) * 2u; ${name}Part[o] = bitcast<vec4<f16>>(${value}.xy); ${name}Part[o + 1u] = bitcast<vec4<f16>>(${value}.zw); }`,
      halves: `{ let o = (${place}) * 8u; ${range(4)
        .map(
          (i) =>
            `let h${i} = bitcast<vec2<f16>>(${value}[${i}]); ${name}Part[o + ${2 * i}u] = h${i}.x; ${name}Part[o + ${2 * i + 1}u] = h${i}.y;`,
        )
        .join(' ')} }`,
      view: `(*${name}Words)[${place}] = ${value};`,
    })[kind]
  return {
    memory,
    begin: `
      ${
        kind === 'view'
          ? `let ${name}Words = bufferView<array<vec4<u32>, ${size}>>(&${name}Part, 0u);
      let ${name}Halves = bufferView<array<f16, ${8 * size}>>(&${name}Part, 0u);`
          : ''
      }
      let ${name}Vector = local % ${vectors}u;
      let ${name}Line = local / ${vectors}u;
      let ${name}Place = ${name}Line * ${vectors + 1}u + ${name}Vector;
      ${begin.join('\n')}
      ${range(slots)
        .map((slot) => `var ${name}Next${slot} = vec4<u32>();`)
        .join(' ')}`,
    fetch: `${operand.step ?? ''}
      ${range(slots)
        .map((slot) => `${operand.fetchBegin?.(slot) ?? ''} ${name}Next${slot} = ${operand.fetch(slot)};`)
        .join('\n')}`,
    advance: operand.advance
      ? range(slots)
          .map((slot) => operand.advance!(slot))
          .join('\n')
      : '',
    put: range(slots)
      .map((slot) => store(`${name}PlaceNow + ${slot * linesAtOnce * (vectors + 1)}u`, `${name}Next${slot}`))
      .join('\n'),
  }
}

/** What differs between the units and WGSL in their place. */
interface UnitCode {
  functions: string
  /** Of `main`. */
  parameters: string
  /** Declares `subgroup`. */
  subgroup: string
  begin: string
  multiply: string
  /** Puts a matrix of the result into the strip. */
  strip(i: number, j: number, place: string): string
}

/** Of a subgroup: matrices down and across. */
const matrices = (tile: UnitTile) => ({
  down: range(tile.rows / tile.down / SIDE),
  across: range(tile.columns / tile.across / SIDE),
})

function hardware(tile: UnitTile, a: GpuOperand, b: GpuOperand, strip: Strip): UnitCode {
  const { down, across } = matrices(tile)
  const [aLine, bLine] = [
    linesOf(tile, tile.rows, a.layout).vectors + 1,
    linesOf(tile, tile.columns, b.layout).vectors + 1,
  ]
  // In vec4s: along the inner dimension in rows, along the outer one in columns.
  const place = (layout: GpuOperand['layout'], line: number, outer: string, inner: number) =>
    layout === 'rows' ? `(${outer}) * ${line}u + ${inner / 8}u` : `${inner}u * ${line}u + (${outer}) / 8u`
  const load = (
    kind: string,
    name: string,
    operand: GpuOperand,
    major: string,
    line: number,
    outer: string,
    inner: number,
  ) =>
    `subgroupMatrixLoad<subgroup_matrix_${kind}<f16, 16, 16>, ${major}>(${unitMemory.kind === 'view' ? `${name}Halves` : `&${name}Part`}, (${name}Begin + ${place(operand.layout, line, outer, inner)}) * ${8 / halvesOf()}u, ${(line * 8) / halvesOf()}u)`
  const step = (inner: number) => `{
    ${down.map((i) => `let a${i} = ${load('left', 'a', a, a.layout === 'rows' ? 'row_major' : 'col_major', aLine, `ownRow + ${i * SIDE}u`, inner)};`).join('\n')}
    ${across
      .map((j) => {
        const matrix = `let b${j} = ${load('right', 'b', b, b.layout === 'rows' ? 'col_major' : 'row_major', bLine, `ownColumn + ${j * SIDE}u`, inner)};`
        return `${matrix} ${down.map((i) => `c${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, c${i}_${j});`).join(' ')}`
      })
      .join('\n')}
  }`
  return {
    functions: '',
    parameters: ', @builtin(subgroup_id) subgroupId: u32',
    subgroup: 'let subgroup = subgroupId;',
    begin: down
      .map((i) => across.map((j) => `var c${i}_${j}: subgroup_matrix_result<f32, 16, 16>;`).join(' '))
      .join('\n'),
    multiply: range(tile.depth / SIDE)
      .map((k) => step(k * SIDE))
      .join('\n'),
    strip: (i, j, at) => `subgroupMatrixStore<row_major>(&strips, ${at}, c${i}_${j}, ${strip.line}u);`,
  }
}

function emulation(tile: UnitTile, a: GpuOperand, b: GpuOperand, strip: Strip): UnitCode {
  const { down, across } = matrices(tile)
  const read = (name: string, outer: number, { layout }: GpuOperand) => {
    const line = linesOf(tile, outer, layout).vectors + 1
    const [row, column] = layout === 'rows' ? ['outer', 'inner'] : ['inner', 'outer']
    return `fn ${name}At(begin: u32, outer: u32, inner: u32) -> f32 {
      let word = ${name}Part[begin + ${row} * ${line}u + ${column} / 8u][(${column} % 8u) / 2u];
      return unpack2x16float(word)[${column} % 2u];
    }`
  }
  const count = down.length * across.length
  return {
    functions: `${read('a', tile.rows, a)}\n${read('b', tile.columns, b)}`,
    parameters: '',
    subgroup: `let subgroup = local / ${LANES}u;`,
    begin: `var sums: array<vec4<f32>, ${2 * count}>;`,
    // Loops, not written out: software compiles slowly.
    multiply: `for (var inner = 0u; inner < ${tile.depth}u; inner++) {
      for (var k = 0u; k < ${2 * count}u; k++) {
        let outer = ownColumn + ((k / 2u) % ${across.length}u) * ${SIDE}u + (lane & 1u) * 8u + (k & 1u) * 4u;
        var right: vec4<f32>;
        for (var i = 0u; i < 4u; i++) { right[i] = bAt(bBegin, outer + i, inner); }
        sums[k] += aAt(aBegin, ownRow + k / ${2 * across.length}u * ${SIDE}u + lane / 2u, inner) * right;
      }
    }`,
    strip: (i, j, at) =>
      range(2)
        .map((half) => {
          const sum = `sums[${2 * (i * across.length + j) + half}]`
          return `strips[${at} + (lane / 2u) * ${strip.line}u + (lane & 1u) * 2u + ${half}u] = ${sum};`
        })
        .join(' '),
  }
}
