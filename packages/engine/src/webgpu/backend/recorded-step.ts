import { engine, Tensor, tidy, type TensorContainer } from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'
import type { RecordedStep, StepInput } from '@facekit/kernels'
import type { GpuEngineBackend } from './engine-backend.js'
import { GpuTrace } from './trace.js'
import { recordGpuStep, type GpuStep } from './step.js'

/* Contributor notes
 *
 * A replay runs no JavaScript of the step, so a number that it would have computed differently can't be seen by it. Running the step now and then,
 * at replays whose count is a power of two, costs 14 slow calls in ten thousand, and gives that call's right result besides. Such a call records
 * anew, in the memory of the recording before: run beside it, a step of ResNet-50 would hold twice its memory.
 */

interface State {
  calls: number
  replays: number
  trace?: GpuTrace
  step?: GpuStep
}

/** Recordings that are kept, by shapes and numbers of the inputs. */
const MOST_RECORDINGS = 16

/** `recordStep` on the engine's WebGPU backend: runs twice as usual, runs and records the third time, then replays. */
export function recordOnGpu<Inputs extends StepInput[], Output extends TensorContainer>(
  gpu: GpuEngineBackend,
  run: (...inputs: Inputs) => Output,
): RecordedStep<Inputs, Output> {
  const states = new Map<string, State>()
  let last: State | undefined

  const call = (...inputs: Inputs): Output => {
    // A step inside a recorded step is part of it.
    if (gpu.recorder) return tidy(() => run(...inputs))
    const key = inputs
      .map((input) => (typeof input === 'number' ? input : `${input.dtype}[${input.shape.join()}]`))
      .join(';')
    let state = states.get(key)
    if (state === undefined) {
      if (states.size >= MOST_RECORDINGS) return tidy(() => run(...inputs))
      states.set(key, (state = { calls: 0, replays: 0 }))
    }
    last = state
    const tensors = inputs.filter((input) => input instanceof Tensor)
    if (state.step) {
      state.replays++
      return isPowerOfTwo(state.replays)
        ? checked(state, inputs, tensors)
        : (state.step.replay(tensors) as Output)
    }
    state.calls++
    if (state.calls === 1) {
      // As at the calls to come: tfjs computes with few numbers on the CPU where all of them are there, and would upload the step's
      // constants a call later.
      uploadFirst(gpu, tensors)
      return tidy(() => run(...inputs))
    }
    const before = state.trace
    if (before === undefined) return traced(state, tensors, () => tidy(() => run(...inputs)))
    return record(state, before, inputs, tensors, (name) => changedNumbers(name, 'at the call before'))
  }

  /** Runs and records; what the step tells the GPU must be what it told it before. */
  const record = (
    state: State,
    before: GpuTrace,
    inputs: Inputs,
    tensors: readonly Tensor[],
    changed: (name: string) => BackendError,
  ): Output =>
    traced(state, tensors, () => {
      // Tensors of the recording take the places of those that are given.
      const withPlaces = (...places: Tensor[]) => {
        const rest = [...places]
        return run(...(inputs.map((input) => (typeof input === 'number' ? input : rest.shift()!)) as Inputs))
      }
      const { step, output } = recordGpuStep(gpu, withPlaces, tensors, before, changed)
      state.step = step
      return output
    })

  /** Runs with a trace, which the state keeps. */
  const traced = (state: State, tensors: readonly Tensor[], work: () => Output): Output => {
    uploadFirst(gpu, tensors)
    gpu.trace = state.trace = new GpuTrace()
    try {
      return work()
    } finally {
      gpu.trace = undefined
    }
  }

  /** Records anew in place of a replay, and compares what the step tells the GPU with the recording. */
  const checked = (state: State, inputs: Inputs, tensors: readonly Tensor[]): Output => {
    const recorded = state.trace!
    const doubtful = Math.floor(state.replays / 2) - 1
    const results = doubtful > 0 ? `, and results of the ${doubtful} calls before may be wrong` : ''
    state.step?.dispose()
    state.step = undefined
    try {
      return record(state, recorded, inputs, tensors, (name) =>
        changedNumbers(name, `were recorded${results}`),
      )
    } catch (error) {
      // The next calls run as usual, and record what they find.
      Object.assign(state, { calls: 0, replays: 0, trace: undefined })
      throw error
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

const isPowerOfTwo = (n: number) => Number.isInteger(Math.log2(n))

const changedNumbers = (name: string, than: string) =>
  new BackendError(
    `recordStep: ${name} gets other numbers than ${than}; give the step what changes as an input or in a variable`,
  )

/** Brings what may change to the GPU: tfjs computes with small tensors on the CPU as long as they are there. */
function uploadFirst(gpu: GpuEngineBackend, inputs: readonly Tensor[]): void {
  for (const { dataId } of [...inputs, ...Object.values(engine().registeredVariables)]) {
    if (gpu.tensorMap.has(dataId)) gpu.bufferOf(dataId)
  }
}
