import type { Raster } from '../pictures/resample.js'

/** Share of the values at either end that may be clipped. */
const CLIPPED = 0.01
/** Least range in which there may be a picture, of 255. */
const LEAST_RANGE = 4
/** A channel that covers this much of 0..255 needs no stretching. */
const ENOUGH = 200

/** The picture with each channel stretched over 0..255 (its 1st percentile to 0, its 99th to 255), which takes darkness, haze and tints away.
 *
 * @returns undefined where there is nothing to stretch: the channels fill their range, or hold one value
 */
export function stretchContrast({ data, width, height, channels }: Raster): Raster | undefined {
  const count = width * height
  const ranges = Array.from({ length: channels }, (_, c) => percentiles(data, c, channels, count))
  if (ranges.every(([low, high]) => high - low >= ENOUGH || high - low < LEAST_RANGE)) return undefined
  const stretched = new Float32Array(data.length)
  for (let c = 0; c < channels; c++) {
    const [low, high] = ranges[c]
    const gain = 255 / Math.max(LEAST_RANGE, high - low)
    for (let i = c; i < data.length; i += channels) {
      stretched[i] = Math.min(255, Math.max(0, (data[i] - low) * gain))
    }
  }
  return { data: stretched, width, height, channels }
}

function percentiles(data: ArrayLike<number>, channel: number, channels: number, count: number) {
  const histogram = new Uint32Array(256)
  for (let i = channel; i < count * channels; i += channels) {
    histogram[Math.min(255, Math.max(0, Math.round(data[i])))]++
  }
  const at = (share: number) => {
    let value = 0
    for (let sum = histogram[0]; sum <= share * count && value < 255; sum += histogram[++value]);
    return value
  }
  return [at(CLIPPED), at(1 - CLIPPED)] as const
}
