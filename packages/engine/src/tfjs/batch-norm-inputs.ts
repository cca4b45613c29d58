import { engine, ones, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core'

let complete = false

/** Makes `tf.batchNorm` without scale or offset differentiable: tfjs records inputs that are not there, and fails on them in the
 * backward pass. Does nothing the second time. */
export function completeBatchNormInputs(): void {
  if (complete) return
  complete = true
  const tfjs = engine()
  const run = tfjs.runKernel.bind(tfjs)
  tfjs.runKernel = ((...args: Parameters<typeof run>) => {
    const [name, inputs, attributes] = args
    if (name !== 'FusedBatchNorm') return run(...args)
    const { scale, offset, ...given } = inputs as Record<string, Tensor | null | undefined>
    if (scale && offset) return run(...args)
    // Its gradient is saved with a scale.
    const neutral = scale ? undefined : ones(given.mean!.shape)
    const all = { ...given, scale: scale ?? neutral, ...(offset && { offset }) } as NamedTensorMap
    const result = run(name, all, attributes)
    neutral?.dispose()
    return result
  }) as typeof tfjs.runKernel
}
