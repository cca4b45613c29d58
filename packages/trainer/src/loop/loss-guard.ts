import { FacekitError } from '@facekit/core'
import type { LossValues } from './training-step.js'

/** Readings in a row that make an explosion. */
const PATIENCE = 3
/** Weight of the newest loss in the mean. */
const NEWEST = 0.05

/** A training whose loss became NaN or infinite, or exploded. */
export class DivergenceError extends FacekitError {
  override name = 'DivergenceError'
}

interface Course {
  first: number
  mean: number
  least: number
}

/** Watches losses, and says which term went wrong. */
export class LossGuard {
  readonly #explosion: number
  #courses = new Map<string, Course>()
  #phase: string | number | undefined
  #above = 0

  /** @param explosion - see `TrainingOptions.explosion` */
  constructor(explosion: number) {
    this.#explosion = explosion
  }

  /** @throws {DivergenceError} that names the iteration and the term */
  check(iteration: number, { total, terms, gradientNorm }: LossValues, phase: string | number): void {
    // Another loss: nothing is known of it.
    if (phase !== this.#phase) this.#courses.clear()
    this.#phase = phase
    const wrong = Object.entries(terms).filter(([, value]) => !Number.isFinite(value))
    if (wrong.length > 0 || !Number.isFinite(total)) {
      const all = wrong.length > 1 && wrong.length === Object.keys(terms).length
      const what = all
        ? `all terms (${wrong.map(([name]) => name).join(', ')}) are ${wrong[0][1]}; a gradient was not finite before, or the batch is not`
        : wrong.length > 0
          ? `term ${wrong.map(([name, value]) => `"${name}" is ${value}`).join(', ')}`
          : `the loss is ${total}`
      throw new DivergenceError(`runTraining: iteration ${iteration}: ${what}`)
    }
    if (gradientNorm !== undefined && !Number.isFinite(gradientNorm)) {
      throw new DivergenceError(
        `runTraining: iteration ${iteration}: the norm of the gradient is ${gradientNorm}, though every term is finite (${list(terms)})`,
      )
    }
    const ratio = this.#follow('total', Math.abs(total))
    const ratios = Object.entries(terms).map(
      ([name, value]) => [name, this.#follow(`term ${name}`, Math.abs(value))] as const,
    )
    this.#above = ratio > this.#explosion ? this.#above + 1 : 0
    if (this.#above < PATIENCE) return
    const [worst] = ratios.sort(([, a], [, b]) => b - a)
    const culprit = worst ? `; most of all term "${worst[0]}", ${terms[worst[0]]}` : ''
    throw new DivergenceError(
      `runTraining: iteration ${iteration}: the loss exploded to ${total}, ${ratio.toFixed(0)} times its least${culprit}; lower the learning rate, or set clipNorm`,
    )
  }

  /** How many times its least the value is; a loss that fell to almost nothing counts as a hundredth of its first value. */
  #follow(name: string, value: number): number {
    const course = this.#courses.get(name)
    if (!course) {
      this.#courses.set(name, { first: value, mean: value, least: value })
      return 1
    }
    const ratio = value / Math.max(course.least, course.first / 100, Number.MIN_VALUE)
    course.mean += NEWEST * (value - course.mean)
    course.least = Math.min(course.least, course.mean)
    return ratio
  }
}

const list = (terms: Record<string, number>) =>
  Object.entries(terms)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(', ')
