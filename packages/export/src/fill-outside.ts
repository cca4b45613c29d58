/** Width of the exact border, in texels: enough for bilinear filtering and a few levels of mipmaps. */
const BORDER = 8

/** Fills the texels of a square RGB texture that no triangle covers, in place.
 *
 * First a border that grows outwards texel by texel (each new one is the mean of its covered neighbours), then the mean of
 * all covered texels, so that the smallest mipmaps do not darken and the file stays small.
 *
 * @param texture - `[size * size * 3]`
 * @param covered - `[size * size]`, 1 where a triangle is; changed
 */
export function fillOutside(texture: Float32Array, covered: Uint8Array, size: number): void {
  const mean = [0, 0, 0]
  let count = 0
  let front: number[] = []
  for (let texel = 0; texel < covered.length; texel++) {
    if (!covered[texel]) continue
    count++
    for (let i = 0; i < 3; i++) mean[i] += texture[3 * texel + i]
    if (isBorder(texel, covered, size)) front.push(texel)
  }
  if (count === 0) return
  for (let i = 0; i < 3; i++) mean[i] /= count
  for (let step = 0; step < BORDER && front.length > 0; step++) {
    const next = new Set<number>()
    for (const texel of front)
      for (const other of neighbours(texel, size)) if (!covered[other]) next.add(other)
    for (const texel of next) {
      const known = neighbours(texel, size).filter((other) => covered[other])
      for (let i = 0; i < 3; i++) {
        let sum = 0
        for (const other of known) sum += texture[3 * other + i]
        texture[3 * texel + i] = sum / known.length
      }
    }
    for (const texel of next) covered[texel] = 1
    front = [...next]
  }
  for (let texel = 0; texel < covered.length; texel++) {
    if (!covered[texel]) texture.set(mean, 3 * texel)
  }
}

/** Whether an empty texel is beside, above or below. One across a corner always has another such neighbour. */
function isBorder(texel: number, covered: Uint8Array, size: number): boolean {
  const column = texel % size
  return (
    (column > 0 && !covered[texel - 1]) ||
    (column < size - 1 && !covered[texel + 1]) ||
    (texel >= size && !covered[texel - size]) ||
    (texel < covered.length - size && !covered[texel + size])
  )
}

function neighbours(texel: number, size: number): number[] {
  const [row, column] = [Math.floor(texel / size), texel % size]
  const result: number[] = []
  for (let y = Math.max(0, row - 1); y <= Math.min(size - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(size - 1, column + 1); x++) {
      if (y !== row || x !== column) result.push(y * size + x)
    }
  }
  return result
}
