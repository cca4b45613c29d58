/** Gives triangles vertices of their own, behind those that a mesh has.
 *
 * @param triangles - `[M * 3]`
 * @param first - index of the first new vertex
 * @returns `vertices`: for each new one the vertex that it is a copy of; `triangles`, renumbered
 */
export function separateVertices(
  triangles: Int32Array,
  first: number,
): { vertices: number[]; triangles: Int32Array } {
  const renumbered = new Map<number, number>()
  const result = triangles.map((vertex) => {
    const known = renumbered.get(vertex)
    if (known !== undefined) return known
    renumbered.set(vertex, first + renumbered.size)
    return first + renumbered.size - 1
  })
  return { vertices: [...renumbered.keys()], triangles: result }
}
