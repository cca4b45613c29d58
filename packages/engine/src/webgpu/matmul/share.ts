import { FLOATS, type GpuElement } from './element.js'
import type { GpuOperand, GpuTile } from './tile.js'
import type { UnitTile } from './unit-tile.js'

/** Type of the elements of a binding whose last axis has so many numbers. */
export const element = (columns: number): string => (columns % 4 === 0 ? 'vec4<f32>' : 'f32')

/** For names of programs. */
export const tileKey = (tile: GpuTile | UnitTile): string => Object.values(tile).map(Number).join('x')

/** Products of so many multiplications have their sizes as constants in their programs: faster by a tenth. Smaller ones have uniforms, so that
 * one program, whose compilation takes a tenth of a second, serves all of a kind. */
const CONSTANT = 1e8
export const deservesConstants = (rows: number, columns: number, inner: number): boolean =>
  rows * columns * inner >= CONSTANT

/** A workgroup's share of a product: its tile, its phase (or matrix of a batch), its part of the sum. Programs have the uniforms
 * `tilesDown` and `parts`.
 *
 * @param columns - an expression
 * @param phases - an expression
 */
export const shareBegin = (tile: GpuTile | UnitTile, columns: string, phases: string): string => `
  let tilesAcross = (${columns} + ${tile.columns - 1}u) / ${tile.columns}u;
  let id = group.y * groups.x + group.x;
  let columnTile = id % tilesAcross;
  let rowTile = (id / tilesAcross) % uniforms.tilesDown;
  let phaseAndPart = id / tilesAcross / uniforms.tilesDown;
  let phase = phaseAndPart % ${phases};
  let part = phaseAndPart / ${phases};
  if (part >= uniforms.parts) { return; }
  let rowBegin = rowTile * ${tile.rows}u;
  let columnBegin = columnTile * ${tile.columns}u;`

/** Steps of this part; `steps` are all. */
export const partSteps = `
  let stepsOfPart = (steps + uniforms.parts - 1u) / uniforms.parts;
  let stepBegin = min(steps, part * stepsOfPart);
  let stepEnd = min(steps, stepBegin + stepsOfPart);`

/** Puts `value` at `place`, the index of the row's first column.
 *
 * @param wide - results are vec4s
 * @param columns - an expression
 */
export const storeRow = (wide: boolean, columns: string, place: string): string =>
  wide
    ? `if (column < ${columns}) { result[(${place} + column) >> 2u] = value; }`
    : `for (var lane = 0u; lane < min(4u, max(${columns}, column) - column); lane++) {
        result[${place} + column + lane] = value[lane];
      }`

/** A matrix `[inner, columns]` in a binding, as the second operand.
 *
 * @param columns - an expression
 * @param wide - its elements are `element`s
 * @param limit - an expression: the inner size, if it is not a multiple of the depth
 */
export function linesOperand(
  binding: string,
  columns: string,
  wide: boolean,
  depth: number,
  limit: string | undefined,
  element: GpuElement = FLOATS,
): GpuOperand {
  const lanes = [0, 1, 2, 3].map((lane) => `${binding}[place + min(column + ${lane}u, ${columns} - 1u)]`)
  return {
    layout: 'columns',
    functions: `fn readLine(column: u32, line: u32) -> ${element.type} {
      let place = line * ${columns};
      return ${wide ? `${binding}[(place + column) >> ${element.shift}u]` : `vec4<f32>(${lanes.join(', ')})`};
    }`,
    begin: (slot, outer, inner) =>
      `let bLine${slot} = ${inner};
      ${slot === 0 ? `let bColumn = min(columnBegin + ${outer}, ${columns} - ${wide ? element.width : 1}u);` : ''}`,
    fetch: (slot) => {
      const line = `step * ${depth}u + bLine${slot}`
      if (limit === undefined) return `readLine(bColumn, ${line})`
      return `select(${element.type}(), readLine(bColumn, min(${line}, ${limit} - 1u)), ${line} < ${limit})`
    },
  }
}

/** Puts eight results of a product of halves at `place`, as `storeRow` does.
 *
 * @param halves - results are `half8`, else two vec4s
 */
export const storeOctet = (halves: boolean, columns: string, place: string): string =>
  `if (column < ${columns}) {
    let octet = (${place} + column) >> 3u;
    ${halves ? 'result[octet] = narrow8(low, high);' : 'result[octet * 2u] = low; result[octet * 2u + 1u] = high;'}
  }`
