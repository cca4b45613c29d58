// The inner product of everything here: a tile of 4 rows x 8 columns, its operands packed so that both are read in order.
// Tried on one core of an EPYC (Zen 4), GFLOP/s: 4x8 39, 5x8 42 (but packing five rows takes scalar copies), 3x12 40, 6x8 and 4x12 29
// (V8 has 15 vector registers: they spill), XNNPACK's own in the same engine 31. Shuffles of four loaded numbers, in place of four loads, are an eighth
// slower where they have one port (Xeon) and multiplications and additions are fused.

/** c + a * b. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(c, f32x4.mul(a, b))
}

/** Tile: C[4 x 8] = (start) + sum over k of A[k][4] * B[k][8].
 *
 * @param c0 - c0 to c3: the rows of the result
 * @param bias - what the sum starts from: 0: zeros; 1: what is in the rows; else the address of 8 numbers
 * @param clamped - 1: negative results become 0; 2: and what is above 6 becomes 6; 0: neither
 */
export function tile(
  k: i32,
  a: usize,
  b: usize,
  c0: usize,
  c1: usize,
  c2: usize,
  c3: usize,
  bias: usize,
  clamped: i32,
): void {
  let s00 = f32x4.splat(0)
  let s01 = s00
  let s10 = s00
  let s11 = s00
  let s20 = s00
  let s21 = s00
  let s30 = s00
  let s31 = s00
  if (bias == 1) {
    s00 = v128.load(c0)
    s01 = v128.load(c0, 16)
    s10 = v128.load(c1)
    s11 = v128.load(c1, 16)
    s20 = v128.load(c2)
    s21 = v128.load(c2, 16)
    s30 = v128.load(c3)
    s31 = v128.load(c3, 16)
  } else if (bias != 0) {
    s00 = v128.load(bias)
    s01 = v128.load(bias, 16)
    s10 = s00
    s11 = s01
    s20 = s00
    s21 = s01
    s30 = s00
    s31 = s01
  }
  for (; k > 0; k--) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    let one = v128.load32_splat(a)
    s00 = madd(one, b0, s00)
    s01 = madd(one, b1, s01)
    one = v128.load32_splat(a, 4)
    s10 = madd(one, b0, s10)
    s11 = madd(one, b1, s11)
    one = v128.load32_splat(a, 8)
    s20 = madd(one, b0, s20)
    s21 = madd(one, b1, s21)
    one = v128.load32_splat(a, 12)
    s30 = madd(one, b0, s30)
    s31 = madd(one, b1, s31)
    a += 16
    b += 32
  }
  if (clamped > 0) {
    const zero = f32x4.splat(0)
    s00 = f32x4.max(s00, zero)
    s01 = f32x4.max(s01, zero)
    s10 = f32x4.max(s10, zero)
    s11 = f32x4.max(s11, zero)
    s20 = f32x4.max(s20, zero)
    s21 = f32x4.max(s21, zero)
    s30 = f32x4.max(s30, zero)
    s31 = f32x4.max(s31, zero)
  }
  if (clamped > 1) {
    const six = f32x4.splat(6)
    s00 = f32x4.min(s00, six)
    s01 = f32x4.min(s01, six)
    s10 = f32x4.min(s10, six)
    s11 = f32x4.min(s11, six)
    s20 = f32x4.min(s20, six)
    s21 = f32x4.min(s21, six)
    s30 = f32x4.min(s30, six)
    s31 = f32x4.min(s31, six)
  }
  v128.store(c0, s00)
  v128.store(c0, s01, 16)
  v128.store(c1, s10)
  v128.store(c1, s11, 16)
  v128.store(c2, s20)
  v128.store(c2, s21, 16)
  v128.store(c3, s30)
  v128.store(c3, s31, 16)
}

/** The same for the last panel, of fewer than 8 columns: through a buffer of 4 x 8 numbers. */
export function partialTile(
  k: i32,
  a: usize,
  b: usize,
  c0: usize,
  c1: usize,
  c2: usize,
  c3: usize,
  bias: usize,
  clamped: i32,
  columns: i32,
  buffer: usize,
): void {
  const bytes = <usize>columns * 4
  if (bias == 1) {
    memory.copy(buffer, c0, bytes)
    memory.copy(buffer + 32, c1, bytes)
    memory.copy(buffer + 64, c2, bytes)
    memory.copy(buffer + 96, c3, bytes)
  } else if (bias != 0) {
    memory.copy(buffer, bias, bytes)
    memory.copy(buffer + 32, bias, bytes)
    memory.copy(buffer + 64, bias, bytes)
    memory.copy(buffer + 96, bias, bytes)
  }
  const start: usize = bias == 0 ? 0 : 1
  tile(k, a, b, buffer, buffer + 32, buffer + 64, buffer + 96, start, clamped)
  memory.copy(c0, buffer, bytes)
  memory.copy(c1, buffer + 32, bytes)
  memory.copy(c2, buffer + 64, bytes)
  memory.copy(c3, buffer + 96, bytes)
}

/** Four rows of four numbers, transposed. */
// @ts-ignore: decorator
@inline
export function transpose4(r0: v128, r1: v128, r2: v128, r3: v128, to: usize, step: usize): void {
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
  const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f64>(a, b, 0, 2))
  v128.store(to + step, v128.shuffle<f64>(a, b, 1, 3))
  v128.store(to + 2 * step, v128.shuffle<f64>(c, d, 0, 2))
  v128.store(to + 3 * step, v128.shuffle<f64>(c, d, 1, 3))
}

/** Packs a matrix [k, n] into panels of 8 columns: `[n / 8][k][8]`, the last one filled up with zeros.
 *
 * @param rowBytes - from one row to the next
 * @param panelBytes - from one panel to the next in the result
 */
export function packColumns(from: usize, to: usize, k: i32, n: i32, rowBytes: i32, panelBytes: i32): void {
  for (let column = 0; column < n; column += 8, to += panelBytes) {
    let source = from + <usize>column * 4
    let target = to
    const rest = n - column
    if (rest >= 8) {
      for (let i = 0; i < k; i++, source += rowBytes, target += 32) {
        v128.store(target, v128.load(source))
        v128.store(target, v128.load(source, 16), 16)
      }
    } else {
      for (let i = 0; i < k; i++, source += rowBytes, target += 32) {
        for (let j = 0; j < 8; j++) store<f32>(target + j * 4, j < rest ? load<f32>(source + j * 4) : 0)
      }
    }
  }
}

/** The same for a matrix that lies transposed, [n, k].
 *
 * @param columnBytes - from one column to the next, that is, from one row of what lies there to the next
 */
export function packTransposed(from: usize, to: usize, k: i32, n: i32, columnBytes: i32, panelBytes: i32): void {
  const step = <usize>columnBytes
  for (let column = 0; column < n; column += 8, to += panelBytes) {
    let half = 0
    for (; half < 8; half += 4) {
      const source = from + <usize>(column + half) * step
      let target = to + half * 4
      const rest = n - column - half
      let i = 0
      if (rest >= 4) {
        for (; i + 4 <= k; i += 4, target += 128) {
          const s = source + i * 4
          transpose4(
            v128.load(s),
            v128.load(s + step),
            v128.load(s + 2 * step),
            v128.load(s + 3 * step),
            target,
            32,
          )
        }
      }
      for (; i < k; i++, target += 32) {
        for (let j = 0; j < 4; j++) {
          store<f32>(target + j * 4, j < rest ? load<f32>(source + <usize>j * step + i * 4) : 0)
        }
      }
    }
  }
}
