import type { NdArray } from 'ndarray'

/** Normalised mean error of landmarks.
 *
 * Mean distance over sqrt(width x height) of the box around the annotated landmarks, the usual measure of AFLW2000-3D.
 *
 * @param found - `[68 * 2]` pixels
 * @param annotated - `[68, 2]` pixels of the same picture
 * @returns 0 is perfect; 0.03 is 3 %
 */
export function landmarkError(found: ArrayLike<number>, annotated: NdArray<Float32Array>): number {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  let total = 0
  const count = annotated.shape[0]
  for (let i = 0; i < count; i++) {
    const [x, y] = [annotated.get(i, 0), annotated.get(i, 1)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
    total += Math.hypot(found[2 * i] - x, found[2 * i + 1] - y)
  }
  return total / count / Math.sqrt((right - left) * (bottom - top))
}

/** Mean and standard deviation of the absolute colour difference over visible skin (the paper's Table 1).
 *
 * @param picture - `[S * S * 3]` encoded, 0..1
 * @param rendered - as `picture`
 * @param faceRegion - `[S * S]`; pixels count where both exceed 0.5
 * @param mask - as `faceRegion`
 */
export function colorError(
  picture: ArrayLike<number>,
  rendered: ArrayLike<number>,
  faceRegion: ArrayLike<number>,
  mask: ArrayLike<number>,
): { mean: number; deviation: number } {
  let [total, squares, count] = [0, 0, 0]
  for (let pixel = 0; pixel < faceRegion.length; pixel++) {
    if (faceRegion[pixel] <= 0.5 || mask[pixel] <= 0.5) continue
    for (let i = 3 * pixel; i < 3 * pixel + 3; i++) {
      const difference = Math.abs(picture[i] - rendered[i])
      total += difference
      squares += difference * difference
      count++
    }
  }
  const mean = count > 0 ? total / count : 0
  return { mean, deviation: count > 0 ? Math.sqrt(Math.max(0, squares / count - mean * mean)) : 0 }
}
