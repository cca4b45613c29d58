import type { MorphableModel } from '@facekit/morphable'

/** Vertices along the outer rim of a face model, in order, the surface to the left; eyes and mouth have rims of their own, which are shorter. */
export function faceRim(model: MorphableModel): Int32Array {
  const { triangles, vertexCount } = model
  const mean = model.shape.mean.data
  const edges = new Set<number>()
  const key = (a: number, b: number) => a * vertexCount + b
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) edges.add(key(triangles[t + k], triangles[t + ((k + 1) % 3)]))
  }
  const next = new Map<number, number>()
  for (const edge of edges) {
    const a = Math.floor(edge / vertexCount)
    const b = edge % vertexCount
    if (!edges.has(key(b, a))) next.set(a, b)
  }
  let best: number[] = []
  let longest = 0
  const seen = new Set<number>()
  for (const start of next.keys()) {
    const loop: number[] = []
    let length = 0
    for (let v: number | undefined = start; v !== undefined && !seen.has(v); v = next.get(v)) {
      seen.add(v)
      const last = loop.at(-1)
      if (last !== undefined) {
        length += Math.hypot(...[0, 1, 2].map((c) => mean[v! * 3 + c] - mean[last * 3 + c]))
      }
      loop.push(v)
    }
    if (length > longest) [best, longest] = [loop, length]
  }
  return Int32Array.from(best)
}
