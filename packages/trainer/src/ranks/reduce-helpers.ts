import { FacekitError } from '@facekit/core'
import type { GradientReducer } from './gradient-reducer.js'

/** Why a training stops before its end. */
export type StopReason = 'signal' | 'seconds'

/** Whether all processes stop now: the request of one is enough. Sums decide, never a maximum: with NaN, `MPI_MAX` of some libraries
 * gives different results in different processes. */
export async function agreeToStop(
  reducer: GradientReducer | undefined,
  request: StopReason | undefined,
): Promise<StopReason | undefined> {
  if (!reducer) return request
  const flags = Float32Array.of(Number(request === 'signal'), Number(request === 'seconds'))
  await reducer.allReduce(flags)
  return flags[0] > 0 ? 'signal' : flags[1] > 0 ? 'seconds' : undefined
}

/** The next batch is unavailable, in this process or another one; nothing has changed since the iteration before. */
export class BatchError extends FacekitError {
  override name = 'BatchError'
}

/** Gets a batch in all processes, or fails in all of them.
 *
 * @throws {BatchError} that names the process
 */
export async function agreeOnBatch<Batch>(
  reducer: GradientReducer | undefined,
  next: () => Promise<Batch>,
): Promise<Batch> {
  let batch: Batch | undefined
  let failure: unknown
  try {
    batch = await next()
  } catch (error) {
    failure = error
  }
  const failed = new Float32Array(reducer?.size ?? 1)
  failed[reducer?.rank ?? 0] = Number(failure !== undefined)
  await reducer?.allReduce(failed)
  const culprit = failed.findIndex((flag) => flag > 0)
  if (culprit < 0) return batch as Batch
  const where = reducer ? ` in process ${culprit} of ${reducer.size}` : ''
  const reason =
    failure === undefined ? 'see its message' : failure instanceof Error ? failure.message : String(failure)
  throw new BatchError(`runTraining: the next batch is unavailable${where}: ${reason}`, { cause: failure })
}

/** States of all processes, in the order of their ranks. */
export async function gatherStates(reducer: GradientReducer | undefined, state: unknown): Promise<unknown[]> {
  if (!reducer) return [state]
  const { rank, size } = reducer
  const own = new TextEncoder().encode(JSON.stringify(state ?? null))
  const lengths = new Float32Array(size)
  lengths[rank] = own.length
  await reducer.allReduce(lengths)
  // Bytes as numbers: each process fills its own part, the others add zeros.
  const bytes = new Float32Array(lengths.reduce((sum, length) => sum + length, 0))
  const starts = Array.from(lengths, (_, i) =>
    lengths.subarray(0, i).reduce((sum, length) => sum + length, 0),
  )
  bytes.set(own, starts[rank])
  await reducer.allReduce(bytes)
  return starts.map((start, i) => {
    const text = new TextDecoder().decode(Uint8Array.from(bytes.subarray(start, start + lengths[i])))
    return JSON.parse(text) as unknown
  })
}
