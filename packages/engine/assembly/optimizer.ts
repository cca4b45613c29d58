/** One step of Adam, in place: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g g,
 * value = keep value - rate m / (sqrt(correction v) + epsilon). */
export function adam(
  count: i32,
  gradient: usize,
  value: usize,
  m: usize,
  v: usize,
  beta1: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  oneMinusBeta2: f32,
  keep: f32,
  rate: f32,
  correction: f32,
  epsilon: f32,
): void {
  const beta1s = f32x4.splat(beta1)
  const beta2s = f32x4.splat(beta2)
  const new1s = f32x4.splat(oneMinusBeta1)
  const new2s = f32x4.splat(oneMinusBeta2)
  const keeps = f32x4.splat(keep)
  const rates = f32x4.splat(rate)
  const corrections = f32x4.splat(correction)
  const epsilons = f32x4.splat(epsilon)
  let i = 0
  for (; i + 4 <= count; i += 4, gradient += 16, value += 16, m += 16, v += 16) {
    const g = v128.load(gradient)
    const first = f32x4.add(f32x4.mul(beta1s, v128.load(m)), f32x4.mul(new1s, g))
    const second = f32x4.add(f32x4.mul(beta2s, v128.load(v)), f32x4.mul(f32x4.mul(new2s, g), g))
    v128.store(m, first)
    v128.store(v, second)
    const step = f32x4.div(
      f32x4.mul(rates, first),
      f32x4.add(f32x4.sqrt(f32x4.mul(second, corrections)), epsilons),
    )
    v128.store(value, f32x4.sub(f32x4.mul(keeps, v128.load(value)), step))
  }
  for (; i < count; i++, gradient += 4, value += 4, m += 4, v += 4) {
    const g = load<f32>(gradient)
    const first = beta1 * load<f32>(m) + oneMinusBeta1 * g
    const second = beta2 * load<f32>(v) + oneMinusBeta2 * g * g
    store<f32>(m, first)
    store<f32>(v, second)
    store<f32>(
      value,
      keep * load<f32>(value) - (rate * first) / (<f32>Math.sqrt(second * correction) + epsilon),
    )
  }
}
