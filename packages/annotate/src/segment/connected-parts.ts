/** The 4-connected parts of the pixels where a square mask is `value`, as lists of their pixels.
 *
 * @param mask - `[size * size]`
 */
export function connectedParts(mask: Uint8Array, value: number, size: number): number[][] {
  const seen = new Uint8Array(mask.length)
  const found: number[][] = []
  for (let start = 0; start < mask.length; start++) {
    if (seen[start] || mask[start] !== value) continue
    const part = [start]
    seen[start] = 1
    for (let next = 0; next < part.length; next++) {
      const i = part[next]
      const column = i % size
      for (let side = 0; side < 4; side++) {
        if ((side === 0 && column === 0) || (side === 1 && column === size - 1)) continue
        const j = i + (side < 2 ? 2 * side - 1 : (2 * side - 5) * size)
        if (j < 0 || j >= mask.length || seen[j] || mask[j] !== value) continue
        seen[j] = 1
        part.push(j)
      }
    }
    found.push(part)
  }
  return found
}
