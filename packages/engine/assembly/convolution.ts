// Convolutions as matrix products whose left matrix (a row for every output pixel, a column for every tap and channel) is never
// written down as a whole: blocks of it are gathered into packed panels that stay in the cache.
import { BUFFER, locate, PANELS, PLACES, seen, seesAll } from './gather'
import { partialTile, tile, transpose4 } from './matrix'

/** Output pixels of a block. */
const PIXELS = 64
/** Taps times channels of a block, at most (and one tap's channels at once, at most). */
const DEPTH = 512

/** Bytes of scratch memory for `convolve`. */
export function convolveScratch(outputs: i32): i32 {
  return <i32>PANELS + PIXELS * DEPTH * 4 + outputs * 4 + 64
}

/** Convolution: for pixel (b, oy, ox) and output channel o the sum over taps t and channels c of
 * x[b, oy * strideY + dy(t), ox * strideX + dx(t), c] * filter[t, c, o], pixels outside of the picture being 0.
 *
 * @param x - `[batch, height, width, channels]`
 * @param zeros - `channels` numbers that are 0
 * @param taps - (dy, dx) of every tap, int32
 * @param filter - packed panels `[outputs / 8][tapCount * channels][8]`
 * @param out - its pixels lie `outPicture`, `outRow` and `outColumn` bytes apart
 * @param bias - address of `outputs` numbers, or 0
 * @param clamped - as for `tile`
 * @param from - first pixel (of all pictures), a multiple of 4; `to` the one behind the last
 */
export function convolve(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  zeros: usize,
  taps: usize,
  tapCount: i32,
  outHeight: i32,
  outWidth: i32,
  strideY: i32,
  strideX: i32,
  filter: usize,
  outputs: i32,
  out: usize,
  outPicture: i32,
  outRow: i32,
  outColumn: i32,
  bias: usize,
  clamped: i32,
  from: i32,
  to: i32,
  scratch: usize,
): void {
  const places = scratch + PLACES
  const panels = scratch + PANELS
  const dump = panels + PIXELS * DEPTH * 4
  const pixelBytes = channels * 4
  const pictureBytes = height * width * pixelBytes
  const depth = tapCount * channels
  const tapsAtOnce = max(1, DEPTH / channels)
  const channelsAtOnce = min(channels, DEPTH)
  const wholePanels = outputs & ~7
  // Blocks of about one size: each of them reads the whole filter.
  const blocks = (to - from + PIXELS - 1) / PIXELS
  const atOnce = blocks > 0 ? ((to - from + blocks - 1) / blocks + 3) & ~3 : PIXELS
  for (let first = from; first < to; first += atOnce) {
    const count = min(atOnce, to - first)
    locate(places, first, count, x, pictureBytes, outHeight, outWidth, strideY, strideX)
    for (let tap = 0; tap < tapCount; tap += tapsAtOnce) {
      const tapEnd = min(tap + tapsAtOnce, tapCount)
      for (let channel = 0; channel < channels; channel += channelsAtOnce) {
        const deep = min(channelsAtOnce, channels - channel)
        const k = (tapEnd - tap) * deep
        // Gather.
        let target = panels
        for (let i = 0; i < count; i += 4) {
          const p0 = places + i * 12
          // What is behind the last pixel is computed, too, and dropped.
          const p1 = i + 1 < count ? p0 + 12 : p0
          const p2 = i + 2 < count ? p0 + 24 : p0
          const p3 = i + 3 < count ? p0 + 36 : p0
          for (let t = tap; t < tapEnd; ) {
            const dy = load<i32>(taps + t * 8)
            const dx = load<i32>(taps + t * 8, 4)
            const offset = <usize>channel * 4
            // Taps that see neighbours in a row, all inside of the picture, are read as one.
            let n = 1
            if (deep == channels) {
              while (
                t + n < tapEnd &&
                load<i32>(taps + (t + n) * 8) == dy &&
                load<i32>(taps + (t + n) * 8, 4) == dx + n
              )
                n++
              if (
                n > 1 &&
                !(
                  seesAll(p0, dy, dx, n, height, width) &&
                  seesAll(p1, dy, dx, n, height, width) &&
                  seesAll(p2, dy, dx, n, height, width) &&
                  seesAll(p3, dy, dx, n, height, width)
                )
              )
                n = 1
            }
            t += n
            let a0 = seen(p0, dy, dx, height, width, pixelBytes, zeros) + offset
            let a1 = seen(p1, dy, dx, height, width, pixelBytes, zeros) + offset
            let a2 = seen(p2, dy, dx, height, width, pixelBytes, zeros) + offset
            let a3 = seen(p3, dy, dx, height, width, pixelBytes, zeros) + offset
            const length = n * deep
            let c = 0
            for (; c + 4 <= length; c += 4, target += 64, a0 += 16, a1 += 16, a2 += 16, a3 += 16) {
              transpose4(v128.load(a0), v128.load(a1), v128.load(a2), v128.load(a3), target, 16)
            }
            for (; c < length; c++, target += 16, a0 += 4, a1 += 4, a2 += 4, a3 += 4) {
              store<f32>(target, load<f32>(a0))
              store<f32>(target, load<f32>(a1), 4)
              store<f32>(target, load<f32>(a2), 8)
              store<f32>(target, load<f32>(a3), 12)
            }
          }
        }
        // Multiply.
        const begin = tap * channels + channel
        const final = begin + k == depth ? clamped : 0
        for (let o = 0; o < outputs; o += 8) {
          const b = filter + (<usize>(o >> 3) * depth + begin) * 32
          const at = <usize>o * 4
          const start: usize = begin > 0 ? 1 : bias == 0 ? 0 : bias + at
          let column = first % outWidth
          let row = first / outWidth
          let picture = row / outHeight
          row -= picture * outHeight
          let base = out + <usize>picture * outPicture + <usize>row * outRow + at
          let a = panels
          for (let i = 0; i < count; i += 4, a += <usize>k * 16) {
            let c0 = dump
            let c1 = dump
            let c2 = dump
            let c3 = dump
            const left = count - i
            for (let r = 0; r < 4 && r < left; r++) {
              const c = base + <usize>column * outColumn
              if (r == 0) c0 = c
              else if (r == 1) c1 = c
              else if (r == 2) c2 = c
              else c3 = c
              if (++column == outWidth) {
                column = 0
                if (++row == outHeight) {
                  row = 0
                  picture++
                }
                base = out + <usize>picture * outPicture + <usize>row * outRow + at
              }
            }
            if (o < wholePanels) tile(k, a, b, c0, c1, c2, c3, start, final)
            else partialTile(k, a, b, c0, c1, c2, c3, start, final, outputs - o, scratch + BUFFER)
          }
        }
      }
    }
  }
}
