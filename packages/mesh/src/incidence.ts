/** For each of N targets, the positions at which a list of indices names it: a scatter turned into a gather. */
export interface Incidence {
  /** `[N * width]`; rows that are shorter than `width` are filled up with `length`. */
  table: Int32Array
  /** Largest number of occurrences of a target. */
  width: number
  /** Length of the list of indices. */
  length: number
}

/** Inverts a list of indices.
 *
 * @param indices - each from 0 to `count - 1`
 */
export function invertIndices(indices: ArrayLike<number>, count: number): Incidence {
  const filled = new Int32Array(count)
  for (let i = 0; i < indices.length; i++) filled[indices[i]]++
  let width = 1
  for (let i = 0; i < count; i++) width = Math.max(width, filled[i])
  filled.fill(0)
  const table = new Int32Array(count * width).fill(indices.length)
  for (let i = 0; i < indices.length; i++) table[indices[i] * width + filled[indices[i]]++] = i
  return { table, width, length: indices.length }
}
