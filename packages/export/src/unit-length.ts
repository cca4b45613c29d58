/** Normals as glTF demands them: length 1, never 0. */
export function unitLength(normals: Float32Array): Float32Array<ArrayBuffer> {
  const result = new Float32Array(normals)
  for (let v = 0; v < result.length; v += 3) {
    const length = Math.hypot(result[v], result[v + 1], result[v + 2])
    if (length > 0) for (let i = 0; i < 3; i++) result[v + i] /= length
    else result.set([0, 0, 1], v)
  }
  return result
}
