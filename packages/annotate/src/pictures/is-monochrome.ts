import type { NdArray } from 'ndarray'

/** Bins of brightness, for each of which a toned print may have a colour of its own. */
const BINS = 8
/** Departures from that colour that compression and scanning make, encoded. */
const NOISE = 0.02
/** Share of the pixels that keep to it. */
const SHARE = 0.98
/** A picture whose brightness varies less, encoded, is an even plane and says nothing. */
const LEAST_CONTRAST = 0.05

/** Whether a picture is a black-and-white one, pure or toned (sepia): its colour follows its brightness, but for 2 % of the pixels.
 *
 * @param image - `[H, W, 3]` encoded, 0..1, e.g. `alignment.image` of an annotation
 * @example isMonochrome(annotation.alignment.image)
 */
export function isMonochrome(image: NdArray<Float32Array>): boolean {
  const [height, width] = image.shape
  const count = height * width
  const bins = new Uint8Array(count)
  const redGreen = new Float32Array(count)
  const blueGreen = new Float32Array(count)
  const means = new Float64Array(3 * BINS)
  let [darkest, brightest] = [1, 0]
  for (let pixel = 0; pixel < count; pixel++) {
    const [y, x] = [Math.floor(pixel / width), pixel % width]
    const green = image.get(y, x, 1)
    redGreen[pixel] = image.get(y, x, 0) - green
    blueGreen[pixel] = image.get(y, x, 2) - green
    darkest = Math.min(darkest, green)
    brightest = Math.max(brightest, green)
    const bin = Math.min(Math.floor(green * BINS), BINS - 1)
    bins[pixel] = bin
    means[3 * bin] += redGreen[pixel]
    means[3 * bin + 1] += blueGreen[pixel]
    means[3 * bin + 2]++
  }
  if (brightest - darkest < LEAST_CONTRAST) return false
  let off = 0
  for (let pixel = 0; pixel < count; pixel++) {
    const at = 3 * bins[pixel]
    const u = redGreen[pixel] - means[at] / means[at + 2]
    const v = blueGreen[pixel] - means[at + 1] / means[at + 2]
    if (Math.max(Math.abs(u), Math.abs(v)) > NOISE) off++
  }
  return off <= (1 - SHARE) * count
}
