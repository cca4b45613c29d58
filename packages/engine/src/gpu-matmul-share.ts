import type { GpuTile } from './gpu-matmul-tile.js'

/** Type of the elements of a binding whose last axis has so many numbers. */
export const element = (columns: number): string => (columns % 4 === 0 ? 'vec4<f32>' : 'f32')

/** For names of programs. */
export const tileKey = (tile: GpuTile): string =>
  Object.entries(tile)
    .map(([key, value]) => (typeof value === 'boolean' ? (value ? key : '') : value))
    .join('x')

/** A workgroup's share of a product: its tile, its phase (or matrix of a batch), its part of the sum. Programs have the uniforms
 * `tilesDown` and `parts`.
 *
 * @param tilesAcross - an expression
 * @param phases - an expression
 */
export const shareBegin = (tile: GpuTile, tilesAcross: string, phases: string): string => `
  let id = group.y * groups.x + group.x;
  let columnTile = id % ${tilesAcross};
  let rowTile = (id / ${tilesAcross}) % uniforms.tilesDown;
  let phaseAndPart = id / ${tilesAcross} / uniforms.tilesDown;
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
