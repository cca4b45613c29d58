/** result = dy where 0 < y < limit, else 0; NaN where y is NaN. */
export function reluGradient(count: i32, dy: usize, y: usize, limit: f32, result: usize): void {
  const zero = f32x4.splat(0)
  const limits = f32x4.splat(limit)
  let i = 0
  for (; i + 4 <= count; i += 4, dy += 16, y += 16, result += 16) {
    const value = v128.load(y)
    const inside = v128.and(f32x4.gt(value, zero), f32x4.lt(value, limits))
    // A comparison's result, all bits set, is a NaN.
    v128.store(result, v128.or(v128.and(v128.load(dy), inside), f32x4.ne(value, value)))
  }
  for (; i < count; i++, dy += 4, y += 4, result += 4) {
    const value = load<f32>(y)
    store<f32>(result, value > 0 && value < limit ? load<f32>(dy) : value != value ? value : 0)
  }
}

/** result = x between low and high; NaN stays. May be in place. */
export function clamp(count: i32, x: usize, low: f32, high: f32, result: usize): void {
  const lows = f32x4.splat(low)
  const highs = f32x4.splat(high)
  let i = 0
  for (; i + 4 <= count; i += 4, x += 16, result += 16) {
    v128.store(result, f32x4.min(f32x4.max(v128.load(x), lows), highs))
  }
  for (; i < count; i++, x += 4, result += 4) {
    store<f32>(result, min<f32>(max<f32>(load<f32>(x), low), high))
  }
}

/** The larger (or smaller) of two numbers each, in rows: NaN if one of them is.
 *
 * @param aRow - bytes from one row of `a` to the next: 0 where a row is repeated; `bRow` the same
 * @param aStep - bytes from one number to the next: 4, or 0 where one number is repeated; `bStep` the same
 */
export function extremum(
  rows: i32,
  columns: i32,
  a: usize,
  aRow: i32,
  aStep: i32,
  b: usize,
  bRow: i32,
  bStep: i32,
  larger: bool,
  result: usize,
): void {
  for (let row = 0; row < rows; row++, a += aRow, b += bRow) {
    let p = a
    let q = b
    let i = 0
    for (; i + 4 <= columns; i += 4, p += 4 * aStep, q += 4 * bStep, result += 16) {
      const left = aStep == 0 ? v128.load32_splat(p) : v128.load(p)
      const right = bStep == 0 ? v128.load32_splat(q) : v128.load(q)
      v128.store(result, larger ? f32x4.max(left, right) : f32x4.min(left, right))
    }
    for (; i < columns; i++, p += aStep, q += bStep, result += 4) {
      const left = load<f32>(p)
      const right = load<f32>(q)
      store<f32>(result, larger ? max<f32>(left, right) : min<f32>(left, right))
    }
  }
}
