import { engine, getBackend, tidy, type Tensor, type TensorContainer } from '@tensorflow/tfjs-core'
import { backend as currentBackend } from '@tensorflow/tfjs-core'
import type { GpuEngineBackend } from './gpu-backend.js'
import { GpuTrace } from './gpu-trace.js'
import { recordGpuStep, type GpuStep } from './gpu-step.js'
import type { GpuKernelTime } from './gpu-profile.js'

/** A step of a loop that is recorded once and replayed. */
export interface RecordedStep<Inputs extends Tensor[], Output extends TensorContainer> {
  /** Runs the step. The caller owns the result. */
  (...inputs: Inputs): Output
  /** Times each kernel of the step on the GPU, longest first; runs it once more, on the inputs of the last call.
   *
   * @returns nothing before the step has been recorded, and where there is no such clock
   */
  profile(): Promise<GpuKernelTime[]>
  /** Frees what the step holds. It can be called again, and is then recorded anew. */
  dispose(): void
}

interface State {
  calls: number
  trace?: GpuTrace
  step?: GpuStep
}

/** Makes a function that is called again and again with tensors of the same shapes, such as a training step, as fast as the GPU is.
 *
 * In tfjs an operation costs 20 to 100 microseconds of CPU time, a step of a thousand of them a tenth of a second. On WebGPU the first two calls
 * run as ever; the third one runs and is recorded; from then on its GPU commands are issued again, without tfjs. Shapes that have not been
 * seen are recorded anew. On the other backends the function just runs, in a `tidy`.
 *
 * What the function does must be the same at every call but for the contents of tensors: of its `inputs`, of variables (assigned or updated in place,
 * inside of the step and between calls) and of tensors that it finds outside. Numbers that change (a learning rate, random numbers made on the
 * CPU) must come as inputs or variables; the recording finds out if they don't. It can't read tensors, and must be synchronous.
 *
 * @example
 * const optimizer = tf.train.adam(1e-3)
 * const step = recordStep((x: tf.Tensor2D, y: tf.Tensor2D) =>
 *   optimizer.minimize(() => tf.losses.meanSquaredError(y, model(x)) as tf.Scalar, true)!)
 * for (const [x, y] of batches) {
 *   const loss = step(x, y)
 *   console.log(await loss.data())
 *   tf.dispose([x, y, loss])
 * }
 *
 * Differentiable: no; take gradients inside of it.
 * @throws {BackendError} when the step reads a tensor, or tells the GPU other numbers than at the call before
 */
export function recordStep<Inputs extends Tensor[], Output extends TensorContainer>(
  run: (...inputs: Inputs) => Output,
): RecordedStep<Inputs, Output> {
  const states = new Map<string, State>()
  let last: State | undefined

  const call = (...inputs: Inputs): Output => {
    if (getBackend() !== 'webgpu' || !('encodeDispatch' in currentBackend()))
      return tidy(() => run(...inputs))
    const gpu = currentBackend() as unknown as GpuEngineBackend
    // A step inside of a recorded step is part of it.
    if (gpu.recorder) return tidy(() => run(...inputs))
    const key = inputs.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`).join(';')
    let state = states.get(key)
    if (state === undefined) states.set(key, (state = { calls: 0 }))
    last = state
    if (state.step) return state.step.replay(inputs) as Output
    state.calls++
    if (state.calls === 1) return tidy(() => run(...inputs))
    const before = state.trace
    uploadFirst(gpu, inputs)
    gpu.trace = state.trace = new GpuTrace()
    try {
      if (before === undefined) return tidy(() => run(...inputs))
      const { step, output } = recordGpuStep(gpu, run as (...tensors: Tensor[]) => Output, inputs, before)
      state.step = step
      return output
    } finally {
      gpu.trace = undefined
    }
  }
  return Object.assign(call, {
    profile: async () => (await last?.step?.profile()) ?? [],
    dispose: () => {
      for (const { step } of states.values()) step?.dispose()
      states.clear()
      last = undefined
    },
  })
}

/** Brings what may change to the GPU: tfjs computes with small tensors on the CPU as long as they are there. */
function uploadFirst(gpu: GpuEngineBackend, inputs: readonly Tensor[]): void {
  for (const { dataId } of [...inputs, ...Object.values(engine().registeredVariables)]) {
    if (gpu.tensorMap.has(dataId)) gpu.bufferOf(dataId)
  }
}
