import {
  getGradient,
  registerGradient,
  unregisterGradient,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core'

/** The gradient of a kernel with one output. */
export interface TypedGradient<Attributes> extends Omit<GradConfig, 'kernelName' | 'gradFunc'> {
  gradFunc(dy: Tensor, saved: Tensor[], attributes: Attributes): Record<string, () => Tensor>
}

/** Registers the gradient of a kernel, in place of the one that is there. */
export function replaceGradient<Attributes = unknown>(
  kernelName: string,
  { gradFunc, ...saved }: TypedGradient<Attributes>,
): void {
  if (getGradient(kernelName)) unregisterGradient(kernelName)
  registerGradient({
    kernelName,
    ...saved,
    gradFunc: (dy, kept, attributes) => gradFunc(dy as Tensor, kept, attributes as Attributes),
  })
}
