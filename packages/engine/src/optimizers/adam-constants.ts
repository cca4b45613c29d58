/** Constants of a step on the CPU. */
export interface AdamConstants {
  beta1: number
  beta2: number
  epsilon: number
  learningRate: number
  weightDecay: number
  /** Powers of the betas up to this step. */
  power1: number
  power2: number
}
