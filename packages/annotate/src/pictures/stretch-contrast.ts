import type { Raster } from './resample.js'

/** How a picture is stretched. */
interface Stretch {
  /** Channels that all cover at least this much of 0..255 are left as they are. */
  enough: number
  /** Share of the values at either end that is clipped. */
  clipped: number
}

/** For pictures in which hardly anything can be seen; a small bright face before a black wall is left alone. */
const POOR: Stretch = { enough: 100, clipped: 0.0005 }
/** For pictures in which nothing was found. */
const ANY: Stretch = { enough: 200, clipped: 0.01 }
/** Least range in which there may be a picture, of 255. */
const LEAST_RANGE = 4
/** About how many pixels the range is taken from. */
const SAMPLES = 500_000

/** The picture as the networks should see it: one that is dark, flat or tinted with its contrast stretched, any other as it is. */
export const visibleRaster = (raster: Raster): Raster => stretch(raster, POOR) ?? raster

/** The picture with its contrast stretched, if there is anything to stretch. */
export const stretchedRaster = (raster: Raster): Raster | undefined => stretch(raster, ANY)

/** Stretches each channel over 0..255, which takes darkness, haze and tints away. */
function stretch(
  { data, width, height, channels }: Raster,
  { enough, clipped }: Stretch,
): Raster | undefined {
  const count = width * height
  const ranges = Array.from({ length: channels }, (_, c) => percentiles(data, c, channels, count, clipped))
  if (ranges.every(([low, high]) => high - low >= enough)) return undefined
  if (ranges.every(([low, high]) => high - low < LEAST_RANGE)) return undefined
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

function percentiles(
  data: ArrayLike<number>,
  channel: number,
  channels: number,
  count: number,
  clipped: number,
): [low: number, high: number] {
  const histogram = new Uint32Array(256)
  const step = Math.max(1, Math.floor(count / SAMPLES))
  const total = Math.ceil(count / step)
  const stride = step * channels
  // Bytes need no rounding: a video's picture takes a millisecond, not six.
  if (data instanceof Uint8Array) {
    for (let i = channel; i < data.length; i += stride) histogram[data[i]]++
  } else {
    for (let i = channel; i < data.length; i += stride)
      histogram[Math.min(255, Math.max(0, Math.round(data[i])))]++
  }
  const at = (share: number) => {
    let value = 0
    for (let sum = histogram[0]; sum <= share * total && value < 255; sum += histogram[++value]);
    return value
  }
  return [at(clipped), at(1 - clipped - 1 / total)]
}
