import { engine, tidy, type Tensor, type TensorContainer } from '@tensorflow/tfjs-core'
import type { RecordedStep } from '@facekit/kernels'
import type { GpuEngineBackend } from './engine-backend.js'
import { GpuTrace } from './trace.js'
import { recordGpuStep, type GpuStep } from './step.js'

interface State {
  calls: number
  trace?: GpuTrace
  step?: GpuStep
}

/** `recordStep` on the engine's WebGPU backend: runs twice as ever, runs and records the third time, then replays. */
export function recordOnGpu<Inputs extends Tensor[], Output extends TensorContainer>(
  gpu: GpuEngineBackend,
  run: (...inputs: Inputs) => Output,
): RecordedStep<Inputs, Output> {
  const states = new Map<string, State>()
  let last: State | undefined

  const call = (...inputs: Inputs): Output => {
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
