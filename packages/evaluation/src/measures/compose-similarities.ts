import type { Similarity3d } from '@facekit/mesh'

/** The similarity that does nothing. */
export const identitySimilarity: Similarity3d = Object.freeze<Similarity3d>({
  scale: 1,
  rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  translation: [0, 0, 0],
})

/** First one similarity, then another: `after(before(p))`. */
export function composeSimilarities(after: Similarity3d, before: Similarity3d): Similarity3d {
  const rotation = multiply(after.rotation, before.rotation)
  const turned = turn(after.rotation, before.translation)
  return {
    scale: after.scale * before.scale,
    rotation,
    translation: [0, 1, 2].map((k) => after.scale * turned[k] + after.translation[k]) as [
      number,
      number,
      number,
    ],
  }
}

/** The way back. */
export function invertSimilarity({ scale, rotation: r, translation }: Similarity3d): Similarity3d {
  const rotation = [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]]
  const turned = turn(rotation, translation)
  return {
    scale: 1 / scale,
    rotation,
    translation: turned.map((value) => -value / scale) as [number, number, number],
  }
}

/** A rotation matrix times a vector. */
export function turn(r: readonly number[], [x, y, z]: readonly number[]): [number, number, number] {
  return [r[0] * x + r[1] * y + r[2] * z, r[3] * x + r[4] * y + r[5] * z, r[6] * x + r[7] * y + r[8] * z]
}

function multiply(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3) * 3, i % 3]
    return a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
  })
}
