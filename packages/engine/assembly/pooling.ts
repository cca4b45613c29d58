/** Gradient of max pooling: dy goes to the first largest pixel of each window.
 *
 * @param x - `[batch, height, width, channels]`
 * @param dx - the same, cleared here
 */
export function maxPoolGradient(
  x: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  dy: usize,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideY: i32,
  strideX: i32,
  dilationY: i32,
  dilationX: i32,
  top: i32,
  left: i32,
  dx: usize,
): void {
  const pixelBytes = <usize>channels * 4
  const whole = channels & ~3
  memory.fill(dx, 0, <usize>(batch * height * width) * pixelBytes)
  for (let b = 0; b < batch; b++) {
    const picture = <usize>(b * height * width) * pixelBytes
    for (let oy = 0; oy < outHeight; oy++) {
      const y0 = oy * strideY - top
      for (let ox = 0; ox < outWidth; ox++, dy += pixelBytes) {
        const x0 = ox * strideX - left
        for (let c = 0; c < whole; c += 4) {
          const channel = picture + <usize>c * 4
          let best = f32x4.splat(-Infinity)
          let where = i32x4.splat(-1)
          for (let wy = 0, y = y0; wy < windowHeight; wy++, y += dilationY) {
            if (<u32>y >= <u32>height) continue
            for (let wx = 0, column = x0; wx < windowWidth; wx++, column += dilationX) {
              if (<u32>column >= <u32>width) continue
              const pixel = y * width + column
              const value = v128.load(x + channel + <usize>pixel * pixelBytes)
              const larger = f32x4.gt(value, best)
              best = v128.bitselect(value, best, larger)
              where = v128.bitselect(i32x4.splat(pixel), where, larger)
            }
          }
          const slope = v128.load(dy + <usize>c * 4)
          const p0 = i32x4.extract_lane(where, 0)
          const p1 = i32x4.extract_lane(where, 1)
          const p2 = i32x4.extract_lane(where, 2)
          const p3 = i32x4.extract_lane(where, 3)
          const to = dx + channel
          if (p0 >= 0) add(to + <usize>p0 * pixelBytes, f32x4.extract_lane(slope, 0))
          if (p1 >= 0) add(to + <usize>p1 * pixelBytes + 4, f32x4.extract_lane(slope, 1))
          if (p2 >= 0) add(to + <usize>p2 * pixelBytes + 8, f32x4.extract_lane(slope, 2))
          if (p3 >= 0) add(to + <usize>p3 * pixelBytes + 12, f32x4.extract_lane(slope, 3))
        }
        for (let c = whole; c < channels; c++) {
          const channel = picture + <usize>c * 4
          let best: f32 = -Infinity
          let where = -1
          for (let wy = 0, y = y0; wy < windowHeight; wy++, y += dilationY) {
            if (<u32>y >= <u32>height) continue
            for (let wx = 0, column = x0; wx < windowWidth; wx++, column += dilationX) {
              if (<u32>column >= <u32>width) continue
              const pixel = y * width + column
              const value = load<f32>(x + channel + <usize>pixel * pixelBytes)
              if (value > best) {
                best = value
                where = pixel
              }
            }
          }
          if (where >= 0) add(dx + channel + <usize>where * pixelBytes, load<f32>(dy + <usize>c * 4))
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function add(to: usize, value: f32): void {
  store<f32>(to, load<f32>(to) + value)
}
