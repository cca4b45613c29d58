/** result = dy where 0 < y < limit, else 0. */
export function reluGradient(count: i32, dy: usize, y: usize, limit: f32, result: usize): void {
  const zero = f32x4.splat(0)
  const limits = f32x4.splat(limit)
  let i = 0
  for (; i + 4 <= count; i += 4, dy += 16, y += 16, result += 16) {
    const value = v128.load(y)
    const inside = v128.and(f32x4.gt(value, zero), f32x4.lt(value, limits))
    v128.store(result, v128.and(v128.load(dy), inside))
  }
  for (; i < count; i++, dy += 4, y += 4, result += 4) {
    const value = load<f32>(y)
    store<f32>(result, value > 0 && value < limit ? load<f32>(dy) : 0)
  }
}
