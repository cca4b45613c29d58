import { backend as currentBackend, tidy, type Tensor, type TensorContainer } from '@tensorflow/tfjs-core'

/** Time that a kernel takes on the GPU. */
export interface KernelTime {
  name: string
  /** Times that it runs in the step. */
  count: number
  /** Of all of them together. */
  milliseconds: number
}

/** What a recorded step takes: tensors, whose contents may change, and numbers, of which each set is recorded by itself. */
export type StepInput = Tensor | number

/** A step of a loop that is recorded once and replayed. */
export interface RecordedStep<Inputs extends StepInput[], Output extends TensorContainer> {
  /** Runs the step. The caller owns the result. */
  (...inputs: Inputs): Output
  /** Times each kernel of the step on the GPU, longest first; runs it once more, on the inputs of the last call.
   *
   * @returns nothing before the step has been recorded, and where there is no such clock
   */
  profile(): Promise<KernelTime[]>
  /** Frees what the step holds. It can be called again, and is then recorded anew. */
  dispose(): void
}

/** What a backend that can record steps has: that of @facekit/engine for WebGPU. */
interface RecordingBackend {
  recordStep?<Inputs extends StepInput[], Output extends TensorContainer>(
    run: (...inputs: Inputs) => Output,
  ): RecordedStep<Inputs, Output>
}

/** Makes a function that is called again and again with tensors of the same shapes, such as a training step, as fast as the GPU is.
 *
 * In tfjs an operation costs 20 to 100 microseconds of CPU time, a step of a thousand of them a tenth of a second. On WebGPU the first two calls
 * run as usual; the third one runs and is recorded; from then on its GPU commands are issued again, without tfjs. Shapes that have not been
 * seen are recorded anew, and so are other numbers among the inputs, up to 16 recordings. On the other backends the function just runs, in a
 * `tidy`.
 *
 * What the function does must be the same at every call but for its inputs and the contents of tensors: of variables (assigned or updated
 * in place, inside the step and between calls) and of tensors from outside. A number that changes at every call (random numbers
 * made on the CPU, a learning rate) belongs in an input tensor or a variable; one that changes now and then (the weight of a loss) can be an
 * input as it is. Numbers from elsewhere are frozen by the recording. That they stay the same is checked at the third call, and
 * at the 1st, 2nd, 4th, 8th, ... replay, which runs the function instead. The function can't read tensors, and must be synchronous.
 *
 * @differentiable no; take gradients inside of it
 * @throws {BackendError} when the step reads a tensor, or when a check finds other numbers than were recorded
 * @example
 * const optimizer = tf.train.adam(1e-3)
 * const step = recordStep((x: tf.Tensor2D, y: tf.Tensor2D) =>
 *   optimizer.minimize(() => tf.losses.meanSquaredError(y, model(x)) as tf.Scalar, true)!)
 * for (const [x, y] of batches) {
 *   const loss = step(x, y)
 *   console.log(await loss.data())
 *   tf.dispose([x, y, loss])
 * }
 */
export function recordStep<Inputs extends StepInput[], Output extends TensorContainer>(
  run: (...inputs: Inputs) => Output,
): RecordedStep<Inputs, Output> {
  const steps = new Map<RecordingBackend, RecordedStep<Inputs, Output>>()
  const current = () => {
    const backend = currentBackend() as RecordingBackend
    let step = steps.get(backend)
    if (step === undefined && backend.recordStep !== undefined)
      steps.set(backend, (step = backend.recordStep(run)))
    return step
  }
  const call = (...inputs: Inputs): Output => (current() ?? tidyRun)(...inputs)
  const tidyRun = (...inputs: Inputs): Output => tidy(() => run(...inputs))
  return Object.assign(call, {
    profile: async () => (await current()?.profile()) ?? [],
    dispose: () => {
      for (const step of steps.values()) step.dispose()
      steps.clear()
    },
  })
}
