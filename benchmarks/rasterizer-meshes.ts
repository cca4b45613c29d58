/** Meshes that rasterizers are measured with. */
export interface Mesh {
  /** `[N * 4]` clip space. */
  clip: Float32Array
  count: number
  triangles: Int32Array
}

/** A grid on the front of a unit sphere, `side` vertices a side: that of BASELINES has 189, 70,688 triangles. */
export function sphere(side: number): Mesh {
  const clip: number[] = []
  const triangles: number[] = []
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const u = -1.2 + (2.4 * i) / (side - 1)
      const v = -1.2 + (2.4 * j) / (side - 1)
      const z = Math.cos(u) * Math.cos(v) - 5
      clip.push(Math.sin(u) * Math.cos(v) * 3.2, Math.sin(v) * 3.2, -z * 1.02 - 0.2, -z)
    }
  }
  for (let j = 0; j < side - 1; j++) {
    for (let i = 0; i < side - 1; i++) {
      const a = j * side + i
      triangles.push(a, a + 1, a + side, a + 1, a + 1 + side, a + side)
    }
  }
  return { clip: Float32Array.from(clip), count: side * side, triangles: Int32Array.from(triangles) }
}

/** Separate triangles of the corners that `corner` gives. */
function soup(triangleCount: number, corner: (triangle: number, corner: number) => number[]): Mesh {
  const count = 3 * triangleCount
  const clip = Array.from({ length: count }, (_, i) => corner(Math.floor(i / 3), i % 3)).flat()
  return { clip: Float32Array.from(clip), count, triangles: Int32Array.from({ length: count }, (_, i) => i) }
}

/** Triangles that fill the picture, one behind the other. */
export const curtains = (count: number): Mesh =>
  soup(count, (i, k) => [[-3, 3, 0][k], k === 2 ? 5 : -3, 0.9 - (1.8 * ((i * 77) % count)) / count, 1])

/** Large triangles, everywhere and at any angle. */
export function shards(count: number): Mesh {
  let state = 1
  const uniform = () => ((state = (state * 16807) % 2147483647) / 2147483647) * 2 - 1
  return soup(count, () => [1.5 * uniform(), 1.5 * uniform(), 0.9 * uniform(), 1])
}

/** Triangles of a pixel, all in the same one, each nearer than the one before. */
export const crowd = (count: number): Mesh =>
  soup(count, (i, k) => [
    0.001 + (k === 1 ? 0.007 : 0),
    0.001 + (k === 2 ? 0.008 : 0),
    0.9 - (1.8 * i) / count,
    1,
  ])

/** A disc of triangles that share one vertex. */
export function fan(count: number): Mesh {
  const clip = [0, 0, 0, 1]
  const triangles: number[] = []
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * i) / count
    clip.push(0.9 * Math.cos(angle), 0.9 * Math.sin(angle), 0, 1)
    triangles.push(0, 1 + i, 1 + ((i + 1) % count))
  }
  return { clip: Float32Array.from(clip), count: count + 1, triangles: Int32Array.from(triangles) }
}
