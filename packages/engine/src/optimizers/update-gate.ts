import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core'

/** Gradients that came of loss scaling, and where the GPU notes whether they are finite. */
const gates = new WeakMap<Tensor, TensorInfo>()

/** Notes that an update by this gradient depends on what the GPU finds. */
export const gate = (gradient: Tensor, by: TensorInfo): void => void gates.set(gradient, by)

/** Notes that a gradient was made of another one. */
export function passGate(from: Tensor, to: Tensor): void {
  const by = gates.get(from)
  if (by) gates.set(to, by)
}

/** What an update by these gradients depends on; nothing unless it is the same for all. */
export function gateOf(gradients: readonly Tensor[]): TensorInfo | undefined {
  const first = gradients.length > 0 ? gates.get(gradients[0]) : undefined
  return gradients.every((gradient) => gates.get(gradient) === first) ? first : undefined
}
