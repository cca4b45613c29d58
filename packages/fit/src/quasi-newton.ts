/** A loss and its gradient somewhere. */
export interface Slope {
  total: number
  gradient: Float64Array
}

/** Where the next evaluation should be, or how it went. */
interface Pair {
  step: Float64Array
  change: Float64Array
}

/** Pairs of steps and changes of the gradient that are remembered. */
const MEMORY = 12
/** Armijo's share of the promised decrease. */
const SUFFICIENT = 1e-4

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)

/** L-BFGS (Liu and Nocedal, 1989) over one plain vector, an evaluation at a time, with Armijo's rule: what it keeps never gets worse.
 *
 * A descent of fixed steps needs hundreds of them where light and albedo trade off; this learns how they do and needs some twenty.
 */
export class QuasiNewton {
  readonly #pairs: Pair[] = []
  #direction: Float64Array | undefined
  #length = 1
  #best: (Slope & { values: Float64Array }) | undefined
  #stalled = 0

  /** @param rates - about how far each unknown moves at first */
  constructor(
    private readonly rates: Float64Array,
    private readonly factor = 1,
  ) {}

  /** Whether nothing is left to gain. */
  get settled(): boolean {
    return this.#stalled >= 3
  }

  /** Takes in the loss at `values` and moves them, in place, to where it should be evaluated next.
   *
   * @returns whether `values` were the best so far
   */
  update(values: Float64Array, { total, gradient }: Slope): boolean {
    const best = this.#best
    if (best && !this.#accepts(best, total)) {
      this.#shorten(best, total)
      values.set(best.values.map((value, i) => value + this.#length * this.#direction![i]))
      return false
    }
    if (best) this.#learn(best, values, total, gradient)
    this.#best = { total, gradient: Float64Array.from(gradient), values: Float64Array.from(values) }
    this.#direction = this.#downhill(gradient)
    this.#length = 1
    for (let i = 0; i < values.length; i++) values[i] += this.#direction[i]
    return true
  }

  /** Puts the best of all that was evaluated into `values`. */
  finish(values: Float64Array): void {
    if (this.#best) values.set(this.#best.values)
  }

  #accepts(best: Slope, total: number): boolean {
    const promised = this.#length * dot(best.gradient, this.#direction!)
    return Number.isFinite(total) && total <= best.total + SUFFICIENT * promised
  }

  /** To the minimum of the parabola through both losses and the slope. */
  #shorten(best: Slope, total: number): void {
    const slope = this.#length * dot(best.gradient, this.#direction!)
    const share = -slope / (2 * (total - best.total - slope))
    this.#length *= Number.isFinite(share) ? Math.min(0.5, Math.max(0.1, share)) : 0.1
    if (this.#length > 1e-3) return
    // What was learnt of the curvature leads nowhere: begin again downhill.
    this.#stalled++
    this.#pairs.length = 0
    this.#direction = this.#downhill(best.gradient).map((value) => 0.1 * value)
    this.#length = 1
  }

  #learn(
    best: Slope & { values: Float64Array },
    values: Float64Array,
    total: number,
    gradient: Float64Array,
  ) {
    const step = values.map((value, i) => value - best.values[i])
    const change = gradient.map((value, i) => value - best.gradient[i])
    const curvature = dot(step, change)
    if (curvature > 1e-10 * Math.sqrt(dot(step, step) * dot(change, change))) {
      this.#pairs.push({ step, change })
      if (this.#pairs.length > MEMORY) this.#pairs.shift()
    }
    this.#stalled = best.total - total < 1e-5 * Math.abs(total) ? this.#stalled + 1 : 0
  }

  /** The two loops of L-BFGS, in units of the rates. */
  #downhill(gradient: Float64Array): Float64Array {
    const q = Float64Array.from(gradient)
    const shares = this.#pairs.map(() => 0)
    for (let k = this.#pairs.length - 1; k >= 0; k--) {
      const { step, change } = this.#pairs[k]
      shares[k] = dot(step, q) / dot(step, change)
      for (let i = 0; i < q.length; i++) q[i] -= shares[k] * change[i]
    }
    const scaled = (v: Float64Array) => v.map((value, i) => value * this.rates[i] ** 2)
    const last = this.#pairs.at(-1)
    // At first the steepest unknown moves by its rate.
    const steepest = gradient.reduce(
      (most, value, i) => Math.max(most, Math.abs(value) * this.rates[i]),
      1e-12,
    )
    const gain = last
      ? dot(last.step, last.change) / dot(last.change, scaled(last.change))
      : this.factor / steepest
    const direction = scaled(q).map((value) => gain * value)
    for (let k = 0; k < this.#pairs.length; k++) {
      const { step, change } = this.#pairs[k]
      const share = shares[k] - dot(change, direction) / dot(step, change)
      for (let i = 0; i < direction.length; i++) direction[i] += share * step[i]
    }
    return direction.map((value) => -value)
  }
}
