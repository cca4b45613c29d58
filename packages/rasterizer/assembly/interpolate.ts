// Interpolation and its gradients, two channels at a time in float64: the numbers of src/cpu/interpolate-arrays.ts to the last bit.

// @ts-ignore: decorator
@inline
function pair(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address))
}

// @ts-ignore: decorator
@inline
function storePair(address: usize, value: v128): void {
  f64.store(address, f64x2.extract_lane(f32x4.demote_f64x2_zero(value), 0))
}

// @ts-ignore: decorator
@inline
function addPair(address: usize, value: v128): void {
  storePair(address, f64x2.add(pair(address), value))
}

// @ts-ignore: decorator
@inline
function add(address: usize, value: f64): void {
  f32.store(address, <f32>(<f64>f32.load(address) + value))
}

/** Spreads attributes of one picture over its pixels, `step` numbers from each to the next. Triangles from `count` on are background. */
export function interpolate(
  attributes: usize, barycentrics: usize, ids: usize, triangles: usize, count: i32, pixels: i32, channels: i32, step: i32,
  output: usize,
): void {
  const stride = <usize>channels << 2
  const next = <usize>step << 2
  const even = (<usize>channels & ~1) << 2
  for (let q = 0; q < pixels; q++, ids += 4, barycentrics += 12, output += next) {
    const f = i32.load(ids)
    if (<u32>f >= <u32>count) {
      memory.fill(output, 0, stride)
      continue
    }
    const t = triangles + <usize>f * 12
    const a = attributes + <usize>i32.load(t) * stride
    const b = attributes + <usize>i32.load(t, 4) * stride
    const c = attributes + <usize>i32.load(t, 8) * stride
    const wa = <f64>f32.load(barycentrics), wb = <f64>f32.load(barycentrics, 4), wc = <f64>f32.load(barycentrics, 8)
    const va = f64x2.splat(wa), vb = f64x2.splat(wb), vc = f64x2.splat(wc)
    let k: usize = 0
    for (; k < even; k += 8) {
      const sum = f64x2.add(f64x2.mul(va, pair(a + k)), f64x2.mul(vb, pair(b + k)))
      storePair(output + k, f64x2.add(sum, f64x2.mul(vc, pair(c + k))))
    }
    if (k < stride) {
      f32.store(output + k, <f32>(wa * f32.load(a + k) + wb * f32.load(b + k) + wc * f32.load(c + k)))
    }
  }
}

/** Adds the gradient of one picture's pixels to that of its attributes. */
export function spreadToAttributes(
  barycentrics: usize, ids: usize, upstream: usize, triangles: usize, count: i32, pixels: i32, channels: i32, step: i32,
  gradient: usize,
): void {
  const stride = <usize>channels << 2
  const next = <usize>step << 2
  const even = (<usize>channels & ~1) << 2
  for (let q = 0; q < pixels; q++, ids += 4, barycentrics += 12, upstream += next) {
    const f = i32.load(ids)
    if (<u32>f >= <u32>count) continue
    const t = triangles + <usize>f * 12
    const a = gradient + <usize>i32.load(t) * stride
    const b = gradient + <usize>i32.load(t, 4) * stride
    const c = gradient + <usize>i32.load(t, 8) * stride
    const wa = <f64>f32.load(barycentrics), wb = <f64>f32.load(barycentrics, 4), wc = <f64>f32.load(barycentrics, 8)
    const va = f64x2.splat(wa), vb = f64x2.splat(wb), vc = f64x2.splat(wc)
    let k: usize = 0
    for (; k < even; k += 8) {
      const g = pair(upstream + k)
      addPair(a + k, f64x2.mul(va, g))
      addPair(b + k, f64x2.mul(vb, g))
      addPair(c + k, f64x2.mul(vc, g))
    }
    if (k < stride) {
      const g = <f64>f32.load(upstream + k)
      add(a + k, wa * g)
      add(b + k, wb * g)
      add(c + k, wc * g)
    }
  }
}

/** Fills the gradient of one picture's barycentrics. */
export function spreadToBarycentrics(
  attributes: usize, ids: usize, upstream: usize, triangles: usize, count: i32, pixels: i32, channels: i32, step: i32,
  gradient: usize,
): void {
  const stride = <usize>channels << 2
  const next = <usize>step << 2
  const even = (<usize>channels & ~1) << 2
  for (let q = 0; q < pixels; q++, ids += 4, gradient += 12, upstream += next) {
    const f = i32.load(ids)
    if (<u32>f >= <u32>count) {
      i64.store(gradient, 0)
      i32.store(gradient, 0, 8)
      continue
    }
    const t = triangles + <usize>f * 12
    const a = attributes + <usize>i32.load(t) * stride
    const b = attributes + <usize>i32.load(t, 4) * stride
    const c = attributes + <usize>i32.load(t, 8) * stride
    let da = f64x2.splat(0), db = da, dc = da
    let k: usize = 0
    for (; k < even; k += 8) {
      const g = pair(upstream + k)
      da = f64x2.add(da, f64x2.mul(g, pair(a + k)))
      db = f64x2.add(db, f64x2.mul(g, pair(b + k)))
      dc = f64x2.add(dc, f64x2.mul(g, pair(c + k)))
    }
    let sa = f64x2.extract_lane(da, 0) + f64x2.extract_lane(da, 1)
    let sb = f64x2.extract_lane(db, 0) + f64x2.extract_lane(db, 1)
    let sc = f64x2.extract_lane(dc, 0) + f64x2.extract_lane(dc, 1)
    if (k < stride) {
      const g = <f64>f32.load(upstream + k)
      sa += g * f32.load(a + k)
      sb += g * f32.load(b + k)
      sc += g * f32.load(c + k)
    }
    f32.store(gradient, <f32>sa)
    f32.store(gradient, <f32>sb, 4)
    f32.store(gradient, <f32>sc, 8)
  }
}
