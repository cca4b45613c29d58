import { createRandom } from '@facekit/core'

/** Smooth noise that repeats: sums of octaves of random values between which it is interpolated.
 *
 * @param size - rows and columns, a power of two
 * @param channels - independent noises
 * @param first - cells along a side in the first octave; each next one has twice as many and `gain` times the strength
 * @returns `[size * size * channels]`, mean 0, standard deviation 1 in each channel
 */
export function noiseTexture(
  seed: number,
  size: number,
  channels: number,
  { first = 4, octaves = 5, gain = 0.55 } = {},
): Float32Array {
  const random = createRandom(seed)
  const result = new Float32Array(size * size * channels)
  for (let c = 0; c < channels; c++) {
    let strength = 1
    for (let octave = 0, cells = first; octave < octaves && cells <= size; octave++, cells *= 2) {
      const values = Float32Array.from({ length: cells * cells }, () => random.normal())
      addOctave(result, size, channels, c, values, cells, strength)
      strength *= gain
    }
    standardize(result, channels, c)
  }
  return result
}

const fade = (t: number) => t * t * (3 - 2 * t)

function addOctave(
  result: Float32Array,
  size: number,
  channels: number,
  channel: number,
  values: Float32Array,
  cells: number,
  strength: number,
): void {
  for (let y = 0; y < size; y++) {
    const v = (y * cells) / size
    const y0 = Math.floor(v)
    const fy = fade(v - y0)
    const rows = [y0 * cells, ((y0 + 1) % cells) * cells]
    for (let x = 0; x < size; x++) {
      const u = (x * cells) / size
      const x0 = Math.floor(u)
      const fx = fade(u - x0)
      const x1 = (x0 + 1) % cells
      const top = values[rows[0] + x0] * (1 - fx) + values[rows[0] + x1] * fx
      const bottom = values[rows[1] + x0] * (1 - fx) + values[rows[1] + x1] * fx
      result[(y * size + x) * channels + channel] += strength * (top * (1 - fy) + bottom * fy)
    }
  }
}

function standardize(values: Float32Array, channels: number, channel: number): void {
  const count = values.length / channels
  let [sum, squares] = [0, 0]
  for (let i = channel; i < values.length; i += channels) {
    sum += values[i]
    squares += values[i] * values[i]
  }
  const mean = sum / count
  const deviation = Math.sqrt(squares / count - mean * mean) || 1
  for (let i = channel; i < values.length; i += channels) values[i] = (values[i] - mean) / deviation
}
