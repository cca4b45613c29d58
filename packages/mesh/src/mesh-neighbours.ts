/** Which vertices share an edge: those of vertex v are `list[start[v]]` to `list[start[v + 1] - 1]`. */
export interface Neighbours {
  start: Int32Array
  list: Int32Array
}

/** Neighbours of all vertices, each once. */
export function meshNeighbours(triangles: Int32Array, count: number): Neighbours {
  const sets = Array.from({ length: count }, () => new Set<number>())
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const a = triangles[t + k]
      const b = triangles[t + ((k + 1) % 3)]
      if (a === b) continue
      sets[a].add(b)
      sets[b].add(a)
    }
  }
  const start = new Int32Array(count + 1)
  for (let v = 0; v < count; v++) start[v + 1] = start[v] + sets[v].size
  const list = new Int32Array(start[count])
  for (let v = 0; v < count; v++) {
    let at = start[v]
    for (const other of sets[v]) list[at++] = other
  }
  return { start, list }
}

/** Averages values over neighbours, with weights.
 *
 * @param values - `[N * channels]`
 * @param weights - `[N]` how much a vertex counts; a vertex none of whose neighbours, itself included, counts gets 0
 * @returns the average, and the average weight
 */
export function averageOverNeighbours(
  { start, list }: Neighbours,
  values: Float64Array,
  weights: Float64Array,
  channels: number,
): { values: Float64Array; weights: Float64Array } {
  const result = new Float64Array(values.length)
  const mean = new Float64Array(weights.length)
  for (let v = 0; v < weights.length; v++) {
    let total = weights[v]
    for (let c = 0; c < channels; c++) result[v * channels + c] = weights[v] * values[v * channels + c]
    for (let i = start[v]; i < start[v + 1]; i++) {
      const w = weights[list[i]]
      if (w === 0) continue
      total += w
      for (let c = 0; c < channels; c++) result[v * channels + c] += w * values[list[i] * channels + c]
    }
    mean[v] = total / (start[v + 1] - start[v] + 1)
    if (total > 0) for (let c = 0; c < channels; c++) result[v * channels + c] /= total
  }
  return { values: result, weights: mean }
}
