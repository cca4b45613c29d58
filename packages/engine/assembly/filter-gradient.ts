import { BUFFER, locate, PANELS, PLACES, seen, SUMMED } from './gather'
import { packColumns, partialTile, tile } from './matrix'

/** Bytes of scratch memory for `filterGradient`. */
export function filterGradientScratch(channels: i32, outputs: i32): i32 {
  return (
    <i32>PANELS + SUMMED * 4 * (((channels + 3) & ~3) + ((outputs + 7) & ~7)) + (outputs + 8) * 4 + 64
  )
}

/** Gradient of a convolution with respect to its filter: for every tap t, channel c and output o the sum over the pixels of
 * x[b, oy * strideY + dy(t), ox * strideX + dx(t), c] * dy[b, oy, ox, o].
 *
 * @param zeros - `channels` numbers that are 0
 * @param outputs - how many of the `allOutputs` that a pixel has, the first being those at `dy` and `out`
 * @param out - `[tapCount, channels, allOutputs]`
 * @param tapFrom - first tap; `tapTo` the one behind the last
 */
export function filterGradient(
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  zeros: usize,
  taps: usize,
  tapFrom: i32,
  tapTo: i32,
  batch: i32,
  outHeight: i32,
  outWidth: i32,
  strideY: i32,
  strideX: i32,
  dy: usize,
  outputs: i32,
  allOutputs: i32,
  out: usize,
  scratch: usize,
): void {
  const places = scratch + PLACES
  const right = scratch + PANELS
  const paddedOutputs = (outputs + 7) & ~7
  const left = right + <usize>(SUMMED * 4 * paddedOutputs)
  const dump = left + <usize>(SUMMED * 4 * ((channels + 3) & ~3))
  const pixelBytes = channels * 4
  const pictureBytes = height * width * pixelBytes
  const pixels = batch * outHeight * outWidth
  const wholePanels = outputs & ~7
  const wholeRows = channels & ~3
  for (let first = 0; first < pixels; first += SUMMED) {
    const count = min(SUMMED, pixels - first)
    const start: usize = first > 0 ? 1 : 0
    locate(places, first, count, x, pictureBytes, outHeight, outWidth, strideY, strideX)
    packColumns(dy + <usize>first * allOutputs * 4, right, count, outputs, allOutputs * 4, count * 32)
    for (let t = tapFrom; t < tapTo; t++) {
      const shiftY = load<i32>(taps + t * 8)
      const shiftX = load<i32>(taps + t * 8, 4)
      const panelBytes = <usize>count * 16
      for (let i = 0; i < count; i++) {
        let source = seen(places + i * 12, shiftY, shiftX, height, width, pixelBytes, zeros)
        let target = left + <usize>i * 16
        let c = 0
        for (; c < wholeRows; c += 4, source += 16, target += panelBytes) v128.store(target, v128.load(source))
        for (let j = 0; c < channels; c++, j++) store<f32>(target + j * 4, load<f32>(source + j * 4))
      }
      for (let o = 0; o < outputs; o += 8) {
        const b = right + <usize>(o >> 3) * count * 32
        let a = left
        const rowBytes = <usize>allOutputs * 4
        let c0 = out + (<usize>(t * channels) * allOutputs + o) * 4
        for (let c = 0; c < channels; c += 4, a += panelBytes, c0 += 4 * rowBytes) {
          const rows = channels - c
          const c1 = rows > 1 ? c0 + rowBytes : dump
          const c2 = rows > 2 ? c0 + 2 * rowBytes : dump
          const c3 = rows > 3 ? c0 + 3 * rowBytes : dump
          if (o < wholePanels) tile(count, a, b, c0, c1, c2, c3, start, 0)
          else partialTile(count, a, b, c0, c1, c2, c3, start, 0, outputs - o, scratch + BUFFER)
        }
      }
    }
  }
}
