import { invertTransform, type Picture, type SimilarityTransform } from '@facekit/annotate'

/** The paper's gamma, by a table: a crop has millions of numbers. */
const LINEAR = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2.2)

/** Cuts a square out of a photograph, linear, averaged where it is coarser and interpolated where it is finer; outside of the photograph its border is
 * repeated.
 *
 * @param transform - pixels of the photograph to pixels of a crop of side `side`
 * @param size - side K of the result, pixels
 * @returns `[K * K * 3]` linear RGB
 */
export function cropPicture(
  picture: Picture,
  transform: SimilarityTransform,
  side: number,
  size: number,
): Float32Array {
  const [height, width] = picture.shape
  const [rowStride, columnStride, channelStride] = picture.stride
  const { data, offset } = picture
  const back = invertTransform(transform)
  const step = (back.scale * side) / size
  const c = step * Math.cos(back.rotation)
  const s = step * Math.sin(back.rotation)
  const samples = Math.max(1, Math.ceil(step - 0.05))
  const share = 1 / (samples * samples)
  const result = new Float32Array(size * size * 3)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const at = 3 * (row * size + column)
      for (let k = 0; k < samples * samples; k++) {
        const u = column + ((k % samples) + 0.5) / samples
        const v = row + (Math.floor(k / samples) + 0.5) / samples
        const x = Math.min(Math.max(c * u - s * v + back.translation[0] - 0.5, 0), width - 1)
        const y = Math.min(Math.max(s * u + c * v + back.translation[1] - 0.5, 0), height - 1)
        const left = Math.min(Math.floor(x), Math.max(width - 2, 0))
        const top = Math.min(Math.floor(y), Math.max(height - 2, 0))
        const [right, down] = [x - left, y - top]
        const first = offset + top * rowStride + left * columnStride
        const across = width > 1 ? columnStride : 0
        const below = height > 1 ? rowStride : 0
        for (let i = 0; i < 3; i++) {
          const from = first + i * channelStride
          const upper = LINEAR[data[from]] * (1 - right) + LINEAR[data[from + across]] * right
          const lower = LINEAR[data[from + below]] * (1 - right) + LINEAR[data[from + below + across]] * right
          result[at + i] += share * (upper * (1 - down) + lower * down)
        }
      }
    }
  }
  return result
}
