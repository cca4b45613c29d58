import type { HostArray } from '@facekit/kernels'
import type { TransformAttributes } from './transform-geometry.js'

/** `tf.image.transform` over typed arrays, as TensorFlow's `ImageProjectiveTransformV3` defines it.
 *
 * @param shape - of the pictures
 * @param size - height and width of the result
 * @param count - how many transforms there are: one for each picture, or one for all
 */
export function transformArrays(
  image: HostArray,
  transforms: HostArray,
  result: HostArray,
  shape: readonly number[],
  [outHeight, outWidth]: readonly number[],
  count: number,
  { interpolation, fillMode, fillValue }: TransformAttributes,
): void {
  const [batch, height, width, channels] = shape
  const place = PLACES[fillMode]
  let out = 0
  for (let b = 0; b < batch; b++) {
    const t = transforms.subarray(count === 1 ? 0 : 8 * b)
    const read = (y: number, x: number, c: number) =>
      y >= 0 && y < height && x >= 0 && x < width
        ? image[((b * height + y) * width + x) * channels + c]
        : fillValue
    for (let row = 0; row < outHeight; row++) {
      for (let column = 0; column < outWidth; column++, out += channels) {
        const scale = t[6] * column + t[7] * row + 1
        if (scale === 0) {
          result.fill(fillValue, out, out + channels)
          continue
        }
        const x = place((t[0] * column + t[1] * row + t[2]) / scale, width)
        const y = place((t[3] * column + t[4] * row + t[5]) / scale, height)
        if (interpolation === 'nearest') {
          const [nearestY, nearestX] = [Math.floor(y + 0.5), Math.floor(x + 0.5)]
          for (let c = 0; c < channels; c++) result[out + c] = read(nearestY, nearestX, c)
          continue
        }
        const [top, left] = [Math.floor(y), Math.floor(x)]
        const [down, right] = [y - top, x - left]
        for (let c = 0; c < channels; c++) {
          const above = (1 - right) * read(top, left, c) + right * read(top, left + 1, c)
          const below = (1 - right) * read(top + 1, left, c) + right * read(top + 1, left + 1, c)
          result[out + c] = (1 - down) * above + down * below
        }
      }
    }
  }
}

const inside = (place: number, size: number) => Math.min(Math.max(place, 0), size - 1)

/** Where a coordinate beyond the border is read. */
const PLACES: Record<TransformAttributes['fillMode'], (place: number, size: number) => number> = {
  constant: (place) => place,
  nearest: inside,
  /** `dcba|abcd|dcba`. */
  reflect: (place, size) => {
    if (place >= 0 && place <= size - 1) return place
    if (size <= 1) return 0
    const period = 2 * size
    let at = place
    if (at < 0) {
      at += period * Math.trunc(-at / period)
      at = at < -size ? at + period : -at - 1
    } else {
      at -= period * Math.trunc(at / period)
      if (at >= size) at = period - at - 1
    }
    return inside(at, size)
  },
  /** `abcd|abcd|abcd`, but for whole numbers at multiples of `size - 1` beyond the border, as in TensorFlow. */
  wrap: (place, size) => {
    if (place >= 0 && place <= size - 1) return place
    if (size <= 1) return 0
    const turns = Math.trunc(Math.abs(place) / (size - 1))
    return inside(place < 0 ? place + size * (turns + 1) : place - size * turns, size)
  },
}
