import { stack, tidy } from '@tensorflow/tfjs-core'
import { ValueError } from '@facekit/core'
import type { HybridLoss } from './hybrid-loss.js'

/** Numbers of a hybrid loss. */
export interface HybridLossValues {
  total: number
  /** Each computed term by its name, without its weight. */
  terms: Record<string, number>
}

/** Reads a hybrid loss and its terms, all at once, and names the term that went wrong if one did.
 *
 * @memory the loss still belongs to the caller
 * @throws {ValueError} when a term is NaN or infinite
 */
export async function readHybridLoss({ total, terms }: HybridLoss): Promise<HybridLossValues> {
  const names = Object.keys(terms)
  const packed = tidy(() => stack([total, ...Object.values(terms)]))
  const [sum, ...values] = await packed.data()
  packed.dispose()
  const wrong = names.flatMap((name, i) => (Number.isFinite(values[i]) ? [] : [`"${name}" is ${values[i]}`]))
  if (wrong.length > 0 || !Number.isFinite(sum)) {
    const what = wrong.length > 0 ? `term ${wrong.join(', ')}` : `the total is ${sum}`
    throw new ValueError(
      `readHybridLoss: ${what}, expected a finite number; lower the learning rate or look at what this term is given`,
    )
  }
  return { total: sum, terms: Object.fromEntries(names.map((name, i) => [name, values[i]])) }
}
