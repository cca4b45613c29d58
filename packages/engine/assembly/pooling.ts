/** Max pooling, or the average of what lies inside the picture; NaN goes through.
 *
 * @param x - `[batch, height, width, channels]`
 * @param out - `[batch, outHeight, outWidth, channels]`
 */
export function pool(
  x: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  out: usize,
  outHeight: i32,
  outWidth: i32,
  windowHeight: i32,
  windowWidth: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  average: bool,
): void {
  const pixelBytes = <usize>channels * 4
  const rowBytes = <usize>width * pixelBytes
  const whole = channels & ~3
  const start = f32x4.splat(average ? 0 : -Infinity)
  for (let b = 0; b < batch; b++, x += <usize>height * rowBytes) {
    for (let oy = 0; oy < outHeight; oy++) {
      const y0 = max(0, oy * strideY - top)
      const y1 = min(height, oy * strideY - top + windowHeight)
      for (let ox = 0; ox < outWidth; ox++) {
        const x0 = max(0, ox * strideX - left)
        const x1 = min(width, ox * strideX - left + windowWidth)
        const share: f32 = average ? <f32>1 / <f32>((y1 - y0) * (x1 - x0)) : 1
        const shares = f32x4.splat(share)
        const begin = x + <usize>y0 * rowBytes + <usize>x0 * pixelBytes
        let c = 0
        // Sixteen channels at a time: a window's loops cost more than its numbers.
        for (; c + 16 <= channels; c += 16, out += 64) {
          let line = begin + <usize>c * 4
          let t0 = start
          let t1 = start
          let t2 = start
          let t3 = start
          for (let y = y0; y < y1; y++, line += rowBytes) {
            const end = line + <usize>(x1 - x0) * pixelBytes
            if (average) {
              for (let at = line; at < end; at += pixelBytes) {
                t0 = f32x4.add(t0, v128.load(at))
                t1 = f32x4.add(t1, v128.load(at, 16))
                t2 = f32x4.add(t2, v128.load(at, 32))
                t3 = f32x4.add(t3, v128.load(at, 48))
              }
            } else {
              for (let at = line; at < end; at += pixelBytes) {
                t0 = f32x4.max(t0, v128.load(at))
                t1 = f32x4.max(t1, v128.load(at, 16))
                t2 = f32x4.max(t2, v128.load(at, 32))
                t3 = f32x4.max(t3, v128.load(at, 48))
              }
            }
          }
          v128.store(out, f32x4.mul(t0, shares))
          v128.store(out, f32x4.mul(t1, shares), 16)
          v128.store(out, f32x4.mul(t2, shares), 32)
          v128.store(out, f32x4.mul(t3, shares), 48)
        }
        for (; c < whole; c += 4, out += 16) {
          let line = begin + <usize>c * 4
          let total = start
          for (let y = y0; y < y1; y++, line += rowBytes) {
            const end = line + <usize>(x1 - x0) * pixelBytes
            for (let at = line; at < end; at += pixelBytes) {
              const value = v128.load(at)
              total = average ? f32x4.add(total, value) : f32x4.max(total, value)
            }
          }
          v128.store(out, f32x4.mul(total, shares))
        }
        for (; c < channels; c++, out += 4) {
          let line = begin + <usize>c * 4
          let total: f32 = average ? 0 : -Infinity
          for (let y = y0; y < y1; y++, line += rowBytes) {
            let at = line
            for (let z = x0; z < x1; z++, at += pixelBytes) {
              const value = load<f32>(at)
              total = average ? total + value : max<f32>(total, value)
            }
          }
          store<f32>(out, average ? total * share : total)
        }
      }
    }
  }
}

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
              // Of numbers and a NaN the NaN is largest, the first of them.
              const larger = v128.andnot(v128.or(f32x4.gt(value, best), f32x4.ne(value, value)), f32x4.ne(best, best))
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
              if ((value > best || value != value) && best == best) {
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
