/** How coordinates beyond 0..1 are taken: the border's texels go on, the texture repeats, or every other repetition is mirrored. */
export type TextureWrap = 'clamp' | 'repeat' | 'mirror'

/** One level of a texture's pyramid. */
export interface TextureLevel {
  rows: number
  columns: number
  /** Where it begins in the pyramid, texels. */
  start: number
}

/** The levels of a texture: the texture itself, then half of the rows and columns (rounded down, at least 1), down to one texel. */
export function textureLevels(rows: number, columns: number): TextureLevel[] {
  const levels = [{ rows, columns, start: 0 }]
  for (let last = levels[0]; last.rows > 1 || last.columns > 1; last = levels[levels.length - 1]) {
    levels.push({
      rows: Math.max(1, last.rows >> 1),
      columns: Math.max(1, last.columns >> 1),
      start: last.start + last.rows * last.columns,
    })
  }
  return levels
}

/** Number of texels in all levels. */
export const texelCount = (levels: readonly TextureLevel[]): number =>
  levels.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
