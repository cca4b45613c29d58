import { paperLossTerms, type LossTerm } from '@facekit/losses'

/** How the paper trains its network. */
export interface TrainingRecipe {
  /** Pictures in a batch. */
  batch: number
  optimizer: 'adam'
  learningRate: number
  iterations: number
  losses: LossTerm[]
}

/** The paper's recipe: Adam, 5e-5, batches of 32, 200,000 iterations, the weights of Eq. 6, the inner mouth's term from iteration 50,000 on
 * (MM '22 paper, section 4.1 and 5).
 *
 * @param options - `identity: false` leaves the identity term out, for a training without a face recognition network
 */
export function paperRecipe({ identity = true } = {}): TrainingRecipe {
  return {
    batch: 32,
    optimizer: 'adam',
    learningRate: 5e-5,
    iterations: 200_000,
    losses: paperLossTerms(identity ? {} : { weights: { identity: 0 } }),
  }
}
