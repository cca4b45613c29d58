import {
  engine,
  keep,
  tidy,
  type Tensor,
  type TensorContainer,
  type TensorInfo,
  Variable,
} from '@tensorflow/tfjs-core'
import type { BackendError } from '@facekit/core'
import {
  convertGpuTensor,
  gpuMemoryType,
  refreshHalves,
  type GpuMemoryType,
  type KernelTime,
} from '@facekit/kernels'
import { bytesOf, type GpuEngineBackend } from './engine-backend.js'
import { profileCommands } from './profile.js'
import { GpuRecorder } from './recorder.js'
import type { GpuTrace } from './trace.js'

/** A recorded step. */
export interface GpuStep {
  replay(inputs: readonly Tensor[]): TensorContainer
  profile(): Promise<KernelTime[]>
  dispose(): void
}

/** Runs a step and records it.
 *
 * @param before - what the CPU told the GPU at an earlier call; must be the same now, in `backend.trace`
 * @param changed - the error for what is not the same, by its name
 * @returns the step, and the result of this run
 */
export function recordGpuStep<Output extends TensorContainer>(
  backend: GpuEngineBackend,
  run: (...inputs: Tensor[]) => Output,
  inputs: readonly Tensor[],
  before: GpuTrace,
  changed: (name: string) => BackendError,
): { step: GpuStep; output: Output } {
  const places = inputs.map((input) => keep(copyOf(backend, input, input)))
  const buffers = new Map<Variable, Place>()
  for (const variable of Object.values(engine().registeredVariables)) {
    const known = backend.tensorMap.has(variable.dataId)
    const resource = known ? backend.tensorMap.get(variable.dataId).resource : undefined
    if (resource) buffers.set(variable, placeOf(backend, variable))
  }
  backend.flush()
  const recorder = new GpuRecorder(backend)
  backend.recorder = recorder
  // Their memory stays, even when they are assigned another one.
  for (const { buffer } of buffers.values()) backend.bufferManager.pin(recorder.arena, buffer)
  let kept: TensorContainer
  try {
    // Kept below: a tidy around this call must not take what belongs to the step.
    kept = tidy(() => mapTensors(run(...places), (tensor) => keep(ownResult(backend, tensor))))
    for (const [variable, place] of buffers) settle(backend, variable, place)
    refreshStale(backend, variableData(buffers))
    const difference = backend.trace?.difference(before)
    if (difference !== undefined) throw changed(difference)
  } catch (error) {
    backend.recorder = undefined
    recorder.close()
    recorder.dispose()
    for (const place of places) place.dispose()
    throw error
  }
  backend.recorder = undefined
  recorder.close()
  recorder.forgetCopies()
  const results = () => mapTensors(kept, (tensor) => copyOf(backend, tensor, tensor))
  const prepare = () => {
    for (const [variable, place] of buffers) settle(backend, variable, place)
    refreshStale(backend, [...variableData(buffers), ...recorder.halved])
  }
  const step: GpuStep = {
    replay: (now) => {
      now.forEach((input, i) => copyInto(backend, input, placeOf(backend, places[i])))
      prepare()
      recorder.replay()
      return results()
    },
    profile: () => {
      prepare()
      recorder.forgetCopies()
      return profileCommands(backend, recorder.commands)
    },
    dispose: () => {
      for (const place of places) place.dispose()
      mapTensors(kept, (tensor) => (tensor.dispose(), tensor))
      recorder.dispose()
    },
  }
  return { step, output: results() as Output }
}

/** A variable's memory goes on changing. */
const ownResult = (backend: GpuEngineBackend, tensor: Tensor): Tensor =>
  tensor instanceof Variable ? copyOf(backend, tensor, tensor) : tensor.clone()

/** Where a recorded step expects numbers, and how they lie there. */
interface Place {
  buffer: GPUBuffer
  type: GpuMemoryType
  /** Where the halves are that were kept of them before. */
  halves?: GPUBuffer
}

function placeOf(backend: GpuEngineBackend, tensor: TensorInfo): Place {
  const { halves } = backend.tensorMap.get(tensor.dataId)
  return {
    buffer: backend.bufferOf(tensor.dataId),
    type: gpuMemoryType(backend, tensor),
    ...(halves && { halves: backend.bufferOf(halves.info.dataId) }),
  }
}

const variableData = (variables: ReadonlyMap<Variable, Place>): object[] =>
  [...variables.keys()].filter(({ isDisposed }) => !isDisposed).map(({ dataId }) => dataId)

/** Brings halves up to date that were kept of what has changed since. */
function refreshStale(backend: GpuEngineBackend, data: readonly object[]): void {
  const stale = [...new Set(data)].filter(
    (dataId) => backend.tensorMap.has(dataId) && backend.tensorMap.get(dataId).halves?.stale,
  )
  refreshHalves(
    backend,
    stale.map((dataId) => ({ dataId, shape: backend.tensorMap.get(dataId).shape, dtype: 'float32' })),
  )
}

function copyInto(backend: GpuEngineBackend, tensor: Tensor, target: Place): void {
  const buffer = backend.bufferOf(tensor.dataId)
  if (buffer === target.buffer || tensor.size === 0) return
  if (gpuMemoryType(backend, tensor) === target.type) {
    const size = copyBytes(bytesOf(backend.tensorMap.get(tensor.dataId)))
    backend.encodeCopy({ source: { buffer, offset: 0, size }, target: target.buffer })
    return
  }
  const { dataId } = convertGpuTensor(backend, tensor, target.type)
  const size = copyBytes(bytesOf(backend.tensorMap.get(dataId)))
  backend.encodeCopy({ source: { buffer: backend.bufferOf(dataId), offset: 0, size }, target: target.buffer })
  backend.disposeData(dataId)
}

/** Copies are of whole words. */
const copyBytes = (bytes: number) => Math.ceil(bytes / 4) * 4

/** A tensor with memory of its own. */
function copyOf<T extends Tensor>(backend: GpuEngineBackend, tensor: T, like: TensorInfo): T {
  const { dtype } = backend.tensorMap.get(tensor.dataId)
  const dataId = backend.writeNothing(like.shape, dtype)
  copyInto(backend, tensor, placeOf(backend, { ...like, dataId }))
  return engine().makeTensorFromDataId(dataId, like.shape, like.dtype, backend) as T
}

/** Moves a variable that was assigned another value back into the memory that the recorded commands know. */
function settle(backend: GpuEngineBackend, variable: Variable, place: Place): void {
  if (variable.isDisposed || backend.bufferOf(variable.dataId) === place.buffer) return
  copyInto(backend, variable, place)
  const dataId = backend.writeNothing(variable.shape, place.type === 'float16' ? place.type : variable.dtype)
  backend.tensorMap.get(dataId).resource = place.buffer
  backend.bufferManager.reclaim(place.buffer)
  if (place.halves) {
    const info = {
      dataId: backend.writeNothing(variable.shape, 'float16'),
      shape: variable.shape,
      dtype: variable.dtype,
    }
    backend.tensorMap.get(info.dataId).resource = place.halves
    backend.bufferManager.reclaim(place.halves)
    backend.tensorMap.get(dataId).halves = { info, stale: true }
  }
  const settled = engine().makeTensorFromDataId(dataId, variable.shape, variable.dtype, backend)
  variable.assign(settled)
  settled.dispose()
}

function mapTensors(container: TensorContainer, map: (tensor: Tensor) => Tensor): TensorContainer {
  if (isTensor(container)) return map(container)
  if (Array.isArray(container)) return container.map((item) => mapTensors(item, map))
  if (container !== null && typeof container === 'object') {
    const entries = Object.entries(container as Record<string, TensorContainer>)
    return Object.fromEntries(entries.map(([name, item]) => [name, mapTensors(item, map)])) as TensorContainer
  }
  return container
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value
