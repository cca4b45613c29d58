import { engine } from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'

let named = false

/** Makes it a `BackendError` when the current backend has no kernel for an operation. Does nothing the second time. */
export function nameMissingKernels(): void {
  if (named) return
  named = true
  const tfjs = engine()
  const run = tfjs.runKernel.bind(tfjs)
  tfjs.runKernel = ((...args: Parameters<typeof run>) => {
    try {
      return run(...args)
    } catch (error) {
      const found = /^Kernel '(.*)' not registered for backend '(.*)'$/.exec(
        String((error as Error | undefined)?.message),
      )
      if (!found) throw error
      const [, kernel, backend] = found
      const remedy = backend === 'cpu' ? 'compose it of others' : 'compose it of others, or use backend "cpu"'
      throw new BackendError(`${backend} backend: it has no kernel ${kernel}; ${remedy}`, { cause: error })
    }
  }) as typeof tfjs.runKernel
}
