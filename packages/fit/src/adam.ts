/** Adam (Kingma and Ba, 2015) over one plain vector, with a rate for each unknown.
 *
 * The fit has some 300 unknowns: on any backend the arithmetic is negligible, and the dozen small tensor operations of an
 * optimiser on tensors would cost more than the whole update here.
 */
export class Adam {
  readonly #first: Float64Array
  readonly #second: Float64Array
  #step = 0

  constructor(
    size: number,
    private readonly decay1 = 0.9,
    private readonly decay2 = 0.99,
    private readonly epsilon = 1e-8,
  ) {
    this.#first = new Float64Array(size)
    this.#second = new Float64Array(size)
  }

  /** Moves `values` against `gradient`, in place; `rates[i]` is about how far unknown i moves in one step. */
  update(values: Float64Array, gradient: ArrayLike<number>, rates: ArrayLike<number>, factor = 1): void {
    this.#step++
    const correction1 = 1 - this.decay1 ** this.#step
    const correction2 = 1 - this.decay2 ** this.#step
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]
      this.#first[i] = this.decay1 * this.#first[i] + (1 - this.decay1) * g
      this.#second[i] = this.decay2 * this.#second[i] + (1 - this.decay2) * g * g
      const direction =
        this.#first[i] / correction1 / (Math.sqrt(this.#second[i] / correction2) + this.epsilon)
      values[i] -= factor * rates[i] * direction
    }
  }
}
