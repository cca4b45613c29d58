import type { GpuOperand } from './tile.js'
import { LANES, linesOf, range, SIDE, type UnitMemory, type UnitTile } from './unit-tile.js'

/** What differs between the units and WGSL in their place. */
export interface UnitCode {
  functions: string
  /** Of `main`. */
  parameters: string
  /** Declares `subgroup`. */
  subgroup: string
  begin: string
  /** Multiplies the parts. */
  multiply: string
  /** Puts a matrix of the result into workgroup memory. */
  strip(i: number, j: number, place: string): string
}

/** Of a subgroup: matrices down and across. */
const matrices = (tile: UnitTile) => ({
  down: range(tile.rows / tile.down / SIDE),
  across: range(tile.columns / tile.across / SIDE),
})

/** On the GPU's matrix units. */
export function unitsMultiply(tile: UnitTile, a: GpuOperand, b: GpuOperand, memory: UnitMemory): UnitCode {
  const { down, across } = matrices(tile)
  const base = { a: 0, b: memory.a }
  // In vec4s: along the inner dimension in rows, along the outer one in columns.
  const load = (name: 'a' | 'b', major: string, operand: GpuOperand, outer: string, inner: number) => {
    const { stride } = linesOf(tile, name === 'a' ? tile.rows : tile.columns, operand.layout)
    const place =
      operand.layout === 'rows'
        ? `(${outer}) * ${stride}u + ${base[name] + inner / 8}u`
        : `${base[name] + inner * stride}u + (${outer}) / 8u`
    const kind = name === 'a' ? 'left' : 'right'
    return `subgroupMatrixLoad<subgroup_matrix_${kind}<f16, ${SIDE}, ${SIDE}>, ${major}>(&memory, ${place}, ${stride}u)`
  }
  const [aMajor, bMajor] = [a.layout === 'rows' ? 'row' : 'col', b.layout === 'rows' ? 'col' : 'row']
  const step = (inner: number) => `{
    ${down.map((i) => `let a${i} = ${load('a', `${aMajor}_major`, a, `ownRow + ${i * SIDE}u`, inner)};`).join('\n')}
    ${across
      .map((j) => {
        const matrix = `let b${j} = ${load('b', `${bMajor}_major`, b, `ownColumn + ${j * SIDE}u`, inner)};`
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
    strip: (i, j, at) => `subgroupMatrixStore<row_major>(&memory, ${at}, c${i}_${j}, ${memory.strip.line}u);`,
  }
}

/** In WGSL, each invocation 8 numbers of a matrix of 16 x 16. */
export function emulatedMultiply(tile: UnitTile, a: GpuOperand, b: GpuOperand, memory: UnitMemory): UnitCode {
  const { down, across } = matrices(tile)
  const read = (name: string, outer: number, { layout }: GpuOperand, base: number) => {
    const { stride } = linesOf(tile, outer, layout)
    const [row, column] = layout === 'rows' ? ['outer', 'inner'] : ['inner', 'outer']
    return `fn ${name}At(outer: u32, inner: u32) -> f32 {
      let word = memory[${base}u + ${row} * ${stride}u + ${column} / 8u][(${column} % 8u) / 2u];
      return unpack2x16float(word)[${column} % 2u];
    }`
  }
  const count = down.length * across.length
  return {
    functions: `${read('a', tile.rows, a, 0)}\n${read('b', tile.columns, b, memory.a)}`,
    parameters: '',
    subgroup: `let subgroup = local / ${LANES}u;`,
    begin: `var sums: array<vec4<f32>, ${2 * count}>;`,
    // Loops, not written out: software compiles slowly.
    multiply: `for (var inner = 0u; inner < ${tile.depth}u; inner++) {
      for (var k = 0u; k < ${2 * count}u; k++) {
        let outer = ownColumn + ((k / 2u) % ${across.length}u) * ${SIDE}u + (lane & 1u) * 8u + (k & 1u) * 4u;
        var right: vec4<f32>;
        for (var i = 0u; i < 4u; i++) { right[i] = bAt(outer + i, inner); }
        sums[k] += aAt(ownRow + k / ${2 * across.length}u * ${SIDE}u + lane / 2u, inner) * right;
      }
    }`,
    strip: (i, j, at) =>
      range(2)
        .map((half) => {
          const sum = `sums[${2 * (i * across.length + j) + half}]`
          return `memory[${at} + (lane / 2u) * ${memory.strip.line}u + (lane & 1u) * 2u + ${half}u] = bitcast<vec4<u32>>(${sum});`
        })
        .join(' '),
  }
}
