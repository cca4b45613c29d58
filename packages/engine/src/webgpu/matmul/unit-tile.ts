import type { GpuOperand } from './tile.js'

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
  /** The next parts are read into registers before this one is multiplied. Without, there are registers for more workgroups at a time, which
   * multiply while this one waits. */
  ahead: boolean
}

export type Layouts = readonly [GpuOperand['layout'], GpuOperand['layout']]

/** Side of the matrices that the units multiply. */
export const SIDE = 16
/** Invocations of a subgroup. */
export const LANES = 32
/** Bytes of workgroup memory that a workgroup takes at most: what NVIDIA's Vulkan driver offers. */
const MOST_BYTES = 49_152
/** Bytes of an element of workgroup memory, a `vec4<u32>`: eight halves. */
const BYTES = 16

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

export const unitInvocations = (tile: UnitTile): number => LANES * tile.down * tile.across

/** Lines of an operand in workgroup memory, how many vec4s there are in each, and how far they are apart: one more, so that the eight lines of a load
 * lie in different banks. */
export function linesOf(tile: UnitTile, outer: number, layout: GpuOperand['layout']) {
  const [lines, vectors] = layout === 'rows' ? [outer, tile.depth / 8] : [tile.depth, outer / 8]
  return { lines, vectors, stride: vectors + 1, size: lines * (vectors + 1) }
}

/** How results leave, through workgroup memory where the operands were: so many matrices side by side at a time, the length of
 * their lines in vec4s of f32, and how many such strips a subgroup has. With two there is one barrier for each. */
export interface Strip {
  count: number
  line: number
  copies: 1 | 2
}

/** From the fewest barriers to the most. Lines are one vec4 longer than need be, so that they lie in different banks, where there is room. */
const STRIPS: readonly Strip[] = [
  { count: 4, line: 17, copies: 2 },
  { count: 2, line: 9, copies: 2 },
  { count: 4, line: 17, copies: 1 },
  { count: 1, line: 5, copies: 2 },
  { count: 2, line: 9, copies: 1 },
  { count: 2, line: 8, copies: 1 },
  { count: 1, line: 5, copies: 1 },
  { count: 1, line: 4, copies: 1 },
]

/** Where things lie in workgroup memory, in vec4s. */
export interface UnitMemory {
  /** Of each operand's part; that of `a` comes first. */
  a: number
  b: number
  strip: Strip
  size: number
}

export function unitMemory(tile: UnitTile, [a, b]: Layouts): UnitMemory {
  const parts = {
    a: linesOf(tile, tile.rows, a).size,
    b: linesOf(tile, tile.columns, b).size,
  }
  const operands = parts.a + parts.b
  const matricesAcross = tile.columns / tile.across / SIDE
  const possible = STRIPS.filter(({ count }) => matricesAcross % count === 0)
  // What the operands have, or what there is.
  const within = (room: number) => possible.find((strip) => stripsSize(tile, strip) <= room)
  const strip = within(operands) ?? within(MOST_BYTES / BYTES) ?? possible[possible.length - 1]
  return { ...parts, strip, size: Math.max(operands, stripsSize(tile, strip)) }
}

/** Of all subgroups. */
const stripsSize = (tile: UnitTile, { line, copies }: Strip) => copies * tile.down * tile.across * SIDE * line

/** Bytes of workgroup memory. */
export const unitWorkgroupBytes = (tile: UnitTile, layouts: Layouts): number =>
  BYTES * unitMemory(tile, layouts).size
