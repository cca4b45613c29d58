// The forward pass in WebAssembly. What it does and why is in src/cpu/scan-triangles.ts, which gives the same bits.
// Compiled by scripts/build-wasm.ts into src/cpu/wasm-binary.ts. Memory is the caller's: no allocation, no data.

/** As in src/cpu/projected-vertices.ts. */
const SNAP: f64 = 1572864.0
const SPECIAL: i32 = 0x8000
/** Boxes of more centres are scanned by the part of each row that the triangle reaches. */
const LARGE: i32 = 48
/** Hits are drawn when there are so many; 32 bytes each. There must be room for `LARGE` more. */
const CHUNK: usize = 256

// @ts-ignore: decorator
@inline
function splat(v: f64): v128 {
  return f64x2.splat(v)
}

/** Fills records (32 bytes a vertex) and cells (4), room for one more in both. Returns whether any vertex is special. */
export function project(clip: usize, count: i32, width: i32, height: i32, records: usize, cells: usize): i32 {
  const size = f64x2(<f64>width, <f64>height)
  const sign = f64x2(0.5, -0.5)
  const half = splat(0.5)
  const snap = splat(SNAP)
  const zero = splat(0)
  const magic = splat(4503599627370496.0)
  const one = splat(1)
  let good = i32x4.splat(-1)
  for (let i = 0; i < count; i += 2) {
    // An odd last vertex is done twice.
    const v0 = v128.load(clip), v1 = i + 1 < count ? v128.load(clip, 16) : v0
    const zw = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7)
    const z = f64x2.promote_low_f32x4(zw)
    const w = f64x2.promote_low_f32x4(v128.shuffle<i64>(zw, zw, 1, 1))
    const inverse = f64x2.div(one, w)
    const ratio = f64x2.mul(z, inverse)
    let p0 = f64x2.add(f64x2.mul(f64x2.mul(f64x2.promote_low_f32x4(v0), v128.shuffle<i64>(inverse, inverse, 0, 0)), sign), half)
    let p1 = f64x2.add(f64x2.mul(f64x2.mul(f64x2.promote_low_f32x4(v1), v128.shuffle<i64>(inverse, inverse, 1, 1)), sign), half)
    p0 = f64x2.sub(f64x2.add(f64x2.mul(p0, size), snap), snap)
    p1 = f64x2.sub(f64x2.add(f64x2.mul(p1, size), snap), snap)
    v128.store(records, p0)
    v128.store(records, v128.shuffle<i64>(ratio, inverse, 0, 2), 16)
    v128.store(records, p1, 32)
    v128.store(records, v128.shuffle<i64>(ratio, inverse, 1, 3), 48)
    const c0 = f64x2.add(f64x2.ceil(f64x2.pmin(f64x2.pmax(f64x2.sub(p0, half), zero), size)), magic)
    const c1 = f64x2.add(f64x2.ceil(f64x2.pmin(f64x2.pmax(f64x2.sub(p1, half), zero), size)), magic)
    // x | y << 16 of both
    const packed = v128.shuffle<i16>(c0, c1, 0, 4, 8, 12, 0, 4, 8, 12)
    i64.store(cells, i64x2.extract_lane(packed, 0))
    good = v128.and(good, v128.and(f64x2.gt(w, zero), f64x2.le(f64x2.abs(z), w)))
    const zeros = v128.and(f32x4.eq(f32x4.mul(v0, zero), zero), f32x4.eq(f32x4.mul(v1, zero), zero))
    good = v128.and(good, zeros)
    clip += 32
    records += 64
    cells += 8
  }
  return i32(!i32x4.all_true(good))
}

/** Marks the cells of vertices behind the eye, outside of near and far, or not finite. */
export function markSpecial(clip: usize, count: i32, cells: usize): void {
  for (let i = 0; i < count; i++, clip += 16, cells += 4) {
    const x = <f64>f32.load(clip), y = <f64>f32.load(clip, 4), z = <f64>f32.load(clip, 8), w = <f64>f32.load(clip, 12)
    const sum = x + y + z + w
    if (!(w > 0 && abs(z) <= w && sum - sum == 0)) i32.store(cells, SPECIAL)
  }
}

/** Empties a picture. */
export function clear(pixels: i32, ids: usize, depth: usize, barycentrics: usize): void {
  memory.fill(ids, 0xff, <usize>pixels << 2)
  memory.fill(barycentrics, 0, <usize>pixels * 12)
  const one = f32x4.splat(1)
  let i = 0
  for (; i + 4 <= pixels; i += 4) v128.store(depth + (<usize>i << 2), one)
  for (; i < pixels; i++) f32.store(depth + (<usize>i << 2), 1)
}

/** 1 when three cells are neither in one column nor in one row, without a branch that cannot be foretold. */
// @ts-ignore: decorator
@inline
function spansCenter(a: i32, b: i32, c: i32): usize {
  const d = (a ^ b) | (a ^ c)
  return <usize>((((d & 0xffff) + 0xffff) >>> 16) & (((d >>> 16) + 0xffff) >>> 16))
}

/** Lists the triangles that may hold a pixel centre, at `list`, and those with a special vertex, at `deferred`. Returns how many are
 * in the first list; the length of the second goes to `counter`. */
export function classify(triangles: usize, count: i32, cells: usize, special: bool, list: usize, deferred: usize, counter: usize): i32 {
  let out = list
  let left = deferred
  if (special) {
    for (let f = 0; f < count; f++, triangles += 12) {
      const a = i32.load(cells + (<usize>i32.load(triangles) << 2))
      const b = i32.load(cells + (<usize>i32.load(triangles, 4) << 2))
      const c = i32.load(cells + (<usize>i32.load(triangles, 8) << 2))
      if (((a | b | c) & SPECIAL) != 0) {
        i32.store(left, f)
        left += 4
        continue
      }
      i32.store(out, f)
      out += spansCenter(a, b, c) << 2
    }
  } else {
    for (let f = 0; f < count; f++, triangles += 12) {
      const a = i32.load(cells + (<usize>i32.load(triangles) << 2))
      const b = i32.load(cells + (<usize>i32.load(triangles, 4) << 2))
      const c = i32.load(cells + (<usize>i32.load(triangles, 8) << 2))
      i32.store(out, f)
      out += spansCenter(a, b, c) << 2
    }
  }
  i32.store(counter, <i32>((left - deferred) >>> 2))
  return <i32>((out - list) >>> 2)
}

// @ts-ignore: decorator
@inline
function cross(u: v128, v: v128): f64 {
  const m = f64x2.mul(u, v128.shuffle<i64>(v, v, 1, 0))
  return f64x2.extract_lane(m, 0) - f64x2.extract_lane(m, 1)
}

// @ts-ignore: decorator
@inline
function isInside(ea: f64, eb: f64, ec: f64, keepPositive: i32, keepNegative: i32): i32 {
  const positive = i32((ea > 0.0) & (eb > 0.0) & (ec > 0.0))
  const negative = i32((ea < 0.0) & (eb < 0.0) & (ec < 0.0))
  return (positive & keepPositive) | (negative & keepNegative)
}

// @ts-ignore: decorator
@inline
function isZero(ea: f64, eb: f64, ec: f64): i32 {
  return i32((ea == 0.0) | (eb == 0.0) | (ec == 0.0))
}

/** Draws triangle f at pixel q (in bytes of ids) if it is nearer than what is there. */
// @ts-ignore: decorator
@inline
function draw(f: i32, q: usize, ea: f64, eb: f64, ec: f64, a: usize, b: usize, c: usize, ids: usize, depth: usize, barycentrics: usize): void {
  const d = <f32>((ea * f64.load(a, 16) + eb * f64.load(b, 16) + ec * f64.load(c, 16)) / (ea + eb + ec))
  const known = f32.load(depth + q)
  if (d < known || (d == known && <u32>f < <u32>i32.load(ids + q))) {
    f32.store(depth + q, d)
    i32.store(ids + q, f)
    const wa = ea * f64.load(a, 24), wb = eb * f64.load(b, 24), wc = ec * f64.load(c, 24)
    const normalize = 1.0 / (wa + wb + wc)
    const o = barycentrics + 3 * q
    f32.store(o, <f32>(wa * normalize))
    f32.store(o, <f32>(wb * normalize), 4)
    f32.store(o, <f32>(wc * normalize), 8)
  }
}

/** Narrows a row's columns to those that may be on the inner side of the edge from P to Q. */
let first: f64 = 0
let last: f64 = 0
function narrow(P: v128, Q: v128, py: f64, side: f64): void {
  const pv = f64x2.extract_lane(P, 1) - py, qv = f64x2.extract_lane(Q, 1) - py
  const left = f64x2.extract_lane(P, 0) * qv, right = pv * f64x2.extract_lane(Q, 0)
  // e = c + d px; c is enlarged by more than rounding took.
  const c = side * (left - right) + (abs(left) + abs(right)) * 1e-15
  const d = side * (pv - qv)
  if (d > 0) first = min(max(first, -c / d), 65536)
  else if (d < 0) last = max(min(last, -c / d), -65536)
  else if (c < 0) last = -1
}

/** Draws the listed hits. */
function drawHits(hits: usize, end: usize, triangles: usize, records: usize, ids: usize, depth: usize, barycentrics: usize): void {
  for (let hit = hits; hit < end; hit += 32) {
    const f = i32.load(hit, 24)
    const t = triangles + <usize>f * 12
    const a = records + (<usize>i32.load(t) << 5), b = records + (<usize>i32.load(t, 4) << 5), c = records + (<usize>i32.load(t, 8) << 5)
    draw(f, <usize>i32.load(hit, 28) << 2, f64.load(hit), f64.load(hit, 8), f64.load(hit, 16), a, b, c, ids, depth, barycentrics)
  }
}

/** Draws a triangle of many centres; returns whether any edge function is 0. */
function scanLarge(
  f: i32, A: v128, B: v128, C: v128, pa: usize, pb: usize, pc: usize, x0: i32, y0: i32, x1: i32, y1: i32, width: i32,
  keepPositive: i32, keepNegative: i32, ids: usize, depth: usize, barycentrics: usize,
): i32 {
  let zero = 0
  let side = 0.0
  let zeros = splat(0)
  const none = splat(0)
  const positives = i64x2.splat(-(<i64>keepPositive)), negatives = i64x2.splat(-(<i64>keepNegative))
  const ax = v128.shuffle<i64>(A, A, 0, 0), bx = v128.shuffle<i64>(B, B, 0, 0), cx = v128.shuffle<i64>(C, C, 0, 0)
  const az = v128.load64_splat(pa + 16), bz = v128.load64_splat(pb + 16), cz = v128.load64_splat(pc + 16)
  const area = cross(f64x2.sub(B, A), f64x2.sub(C, A))
  const all = f64x2.max(f64x2.abs(A), f64x2.max(f64x2.abs(B), f64x2.abs(C)))
  if (max(f64x2.extract_lane(all, 0), f64x2.extract_lane(all, 1)) < 524288.0) side = area > 0 ? 1.0 : area < 0 ? -1.0 : 0.0
  for (let row = y0; row < y1; row++) {
    let begin = x0, finish = x1
    if (side != 0.0) {
      first = <f64>x0
      last = <f64>x1
      narrow(A, B, <f64>row + 0.5, side)
      narrow(B, C, <f64>row + 0.5, side)
      narrow(C, A, <f64>row + 0.5, side)
      begin = max(x0, <i32>first - 2)
      finish = min(x1, <i32>last + 3)
    }
    // Two neighbours at a time: most are outside, or behind what is there.
    const py = <f64>row + 0.5
    const av = splat(f64x2.extract_lane(A, 1) - py), bv = splat(f64x2.extract_lane(B, 1) - py), cv = splat(f64x2.extract_lane(C, 1) - py)
    let column = begin
    for (; column + 1 < finish; column += 2) {
      const px = f64x2(<f64>column + 0.5, <f64>column + 1.5)
      const au = f64x2.sub(ax, px), bu = f64x2.sub(bx, px), cu = f64x2.sub(cx, px)
      const ea = f64x2.sub(f64x2.mul(bu, cv), f64x2.mul(bv, cu))
      const eb = f64x2.sub(f64x2.mul(cu, av), f64x2.mul(cv, au))
      const ec = f64x2.sub(f64x2.mul(au, bv), f64x2.mul(av, bu))
      const positive = v128.and(v128.and(f64x2.gt(ea, none), f64x2.gt(eb, none)), v128.and(f64x2.gt(ec, none), positives))
      const negative = v128.and(v128.and(f64x2.lt(ea, none), f64x2.lt(eb, none)), v128.and(f64x2.lt(ec, none), negatives))
      zeros = v128.or(zeros, f64x2.eq(f64x2.mul(f64x2.mul(ea, eb), ec), none))
      const inside = i64x2.bitmask(v128.or(positive, negative))
      if (!inside) continue
      const z = f64x2.add(f64x2.add(f64x2.mul(ea, az), f64x2.mul(eb, bz)), f64x2.mul(ec, cz))
      const d = f32x4.demote_f64x2_zero(f64x2.div(z, f64x2.add(f64x2.add(ea, eb), ec)))
      const q = <usize>(row * width + column) << 2
      const seen = inside & i32x4.bitmask(f32x4.le(d, v128.load64_zero(depth + q)))
      if (seen & 1) {
        draw(f, q, f64x2.extract_lane(ea, 0), f64x2.extract_lane(eb, 0), f64x2.extract_lane(ec, 0), pa, pb, pc, ids, depth, barycentrics)
      }
      if (seen & 2) {
        draw(f, q + 4, f64x2.extract_lane(ea, 1), f64x2.extract_lane(eb, 1), f64x2.extract_lane(ec, 1), pa, pb, pc, ids, depth, barycentrics)
      }
    }
    if (column < finish) {
      const p = f64x2(<f64>column + 0.5, py)
      const u = f64x2.sub(A, p), v = f64x2.sub(B, p), w = f64x2.sub(C, p)
      const ea = cross(v, w), eb = cross(w, u), ec = cross(u, v)
      zero |= isZero(ea, eb, ec)
      if (isInside(ea, eb, ec, keepPositive, keepNegative)) {
        draw(f, <usize>(row * width + column) << 2, ea, eb, ec, pa, pb, pc, ids, depth, barycentrics)
      }
    }
  }
  return zero | i32(v128.any_true(zeros))
}

/** Draws the listed triangles. Those with an edge function of 0 at a centre are added to `deferred`. */
export function scan(
  list: usize, length: i32, hits: usize, triangles: usize, records: usize, cells: usize, width: i32,
  keepPositive: i32, keepNegative: i32, ids: usize, depth: usize, barycentrics: usize, deferred: usize, counter: usize,
): void {
  const half = splat(0.5), right = f64x2(1, 0), down = f64x2(0, 1)
  const end = list + (<usize>length << 2)
  let left = deferred + (<usize>i32.load(counter) << 2)
  const full = hits + (CHUNK << 5)
  let out = hits
  for (; list < end; list += 4) {
    const f = i32.load(list)
    const t = triangles + <usize>f * 12
    const a = <usize>i32.load(t), b = <usize>i32.load(t, 4), c = <usize>i32.load(t, 8)
    const ca = v128.load32_zero(cells + (a << 2)), cb = v128.load32_zero(cells + (b << 2)), cc = v128.load32_zero(cells + (c << 2))
    const least = i16x8.min_u(i16x8.min_u(ca, cb), cc)
    const from = i32x4.extract_lane(least, 0)
    const extent = i32x4.extract_lane(i16x8.max_u(i16x8.max_u(ca, cb), cc), 0) - from
    const pa = records + (a << 5), pb = records + (b << 5), pc = records + (c << 5)
    const A = v128.load(pa), B = v128.load(pb), C = v128.load(pc)
    const x0 = from & 0xffff, y0 = from >>> 16
    const columns = extent & 0xffff, rows = extent >>> 16
    if (extent == 0x10001) {
      // Half of all: without loops.
      const p = f64x2.add(f64x2.convert_low_i32x4_u(i32x4.extend_low_i16x8_u(least)), half)
      const u = f64x2.sub(A, p), v = f64x2.sub(B, p), w = f64x2.sub(C, p)
      const ea = cross(v, w), eb = cross(w, u), ec = cross(u, v)
      f64.store(out, ea)
      f64.store(out, eb, 8)
      f64.store(out, ec, 16)
      i32.store(out, f, 24)
      i32.store(out, y0 * width + x0, 28)
      out += <usize>isInside(ea, eb, ec, keepPositive, keepNegative) << 5
      // They are multiples of 2^-64, so their product does not vanish by being small.
      if (ea * eb * ec == 0) {
        i32.store(left, f)
        left += 4
      }
      if (out >= full) {
        drawHits(hits, out, triangles, records, ids, depth, barycentrics)
        out = hits
      }
      continue
    }
    let zero = 0
    if (rows * columns <= LARGE) {
      let line = f64x2.add(f64x2.convert_low_i32x4_u(i32x4.extend_low_i16x8_u(least)), half)
      let start = y0 * width + x0
      for (let row = 0; row < rows; row++) {
        let p = line
        for (let q = start; q < start + columns; q++) {
          const u = f64x2.sub(A, p), v = f64x2.sub(B, p), w = f64x2.sub(C, p)
          const ea = cross(v, w), eb = cross(w, u), ec = cross(u, v)
          f64.store(out, ea)
          f64.store(out, eb, 8)
          f64.store(out, ec, 16)
          i32.store(out, f, 24)
          i32.store(out, q, 28)
          out += <usize>isInside(ea, eb, ec, keepPositive, keepNegative) << 5
          zero |= isZero(ea, eb, ec)
          p = f64x2.add(p, right)
        }
        line = f64x2.add(line, down)
        start += width
      }
      if (out >= full) {
        drawHits(hits, out, triangles, records, ids, depth, barycentrics)
        out = hits
      }
    } else {
      zero = scanLarge(f, A, B, C, pa, pb, pc, x0, y0, x0 + columns, y0 + rows, width, keepPositive, keepNegative, ids, depth, barycentrics)
    }
    i32.store(left, f)
    left += <usize>zero << 2
  }
  drawHits(hits, out, triangles, records, ids, depth, barycentrics)
  i32.store(counter, <i32>((left - deferred) >>> 2))
}
