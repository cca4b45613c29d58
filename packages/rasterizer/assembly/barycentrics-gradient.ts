// The gradient of rasterize, (u, v) of a vertex in one vector: the numbers of src/cpu/barycentrics-gradient.ts to the last bit.

// @ts-ignore: decorator
@inline
function cross(u: v128, v: v128): f64 {
  const m = f64x2.mul(u, v128.shuffle<i64>(v, v, 1, 0))
  return f64x2.extract_lane(m, 0) - f64x2.extract_lane(m, 1)
}

// @ts-ignore: decorator
@inline
function quarterTurn(u: v128): v128 {
  return f64x2.mul(v128.shuffle<i64>(u, u, 1, 0), f64x2(1, -1))
}

// @ts-ignore: decorator
@inline
function addTo(vertex: usize, d: v128, scale: v128, offset: v128): void {
  const xy = f64x2.add(f64x2.promote_low_f32x4(v128.load64_zero(vertex)), f64x2.mul(d, scale))
  f64.store(vertex, f64x2.extract_lane(f32x4.demote_f64x2_zero(xy), 0))
  const m = f64x2.mul(d, offset)
  const w = <f64>f32.load(vertex, 12) + (f64x2.extract_lane(m, 0) + f64x2.extract_lane(m, 1))
  f32.store(vertex, <f32>w, 12)
}

/** Adds the gradient of one picture's barycentrics to that of its clip-space vertices. */
export function barycentricsGradient(
  clip: usize, triangles: usize, width: i32, height: i32, ids: usize, upstream: usize, gradient: usize,
): void {
  const scale = f64x2(<f64>width / 2, -<f64>height / 2)
  for (let row = 0; row < height; row++) {
    const dy = <f64>height / 2 - (<f64>row + 0.5)
    for (let column = 0; column < width; column++, ids += 4, upstream += 12) {
      const f = i32.load(ids)
      if (f < 0) continue
      const g0 = <f64>f32.load(upstream), g1 = <f64>f32.load(upstream, 4), g2 = <f64>f32.load(upstream, 8)
      if (g0 == g1 && g1 == g2) continue
      const offset = f64x2(<f64>width / 2 - (<f64>column + 0.5), dy)
      const t = triangles + <usize>f * 12
      const a = <usize>i32.load(t) << 4, b = <usize>i32.load(t, 4) << 4, c = <usize>i32.load(t, 8) << 4
      const va = v128.load(clip + a), vb = v128.load(clip + b), vc = v128.load(clip + c)
      const p0 = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(va), scale), f64x2.mul(f64x2.splat(<f64>f32x4.extract_lane(va, 3)), offset))
      const p1 = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(vb), scale), f64x2.mul(f64x2.splat(<f64>f32x4.extract_lane(vb, 3)), offset))
      const p2 = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(vc), scale), f64x2.mul(f64x2.splat(<f64>f32x4.extract_lane(vc, 3)), offset))
      const e0 = cross(p1, p2), e1 = cross(p2, p0), e2 = cross(p0, p1)
      const sum = e0 + e1 + e2
      if (sum == 0) continue
      const inverse = 1.0 / sum
      const mean = (g0 * e0 + g1 * e1 + g2 * e2) * inverse
      const h0 = f64x2.splat((g0 - mean) * inverse), h1 = f64x2.splat((g1 - mean) * inverse), h2 = f64x2.splat((g2 - mean) * inverse)
      const q0 = quarterTurn(p0), q1 = quarterTurn(p1), q2 = quarterTurn(p2)
      addTo(gradient + a, f64x2.sub(f64x2.mul(h2, q1), f64x2.mul(h1, q2)), scale, offset)
      addTo(gradient + b, f64x2.sub(f64x2.mul(h0, q2), f64x2.mul(h2, q0)), scale, offset)
      addTo(gradient + c, f64x2.sub(f64x2.mul(h1, q0), f64x2.mul(h0, q1)), scale, offset)
    }
  }
}
