import type { GradientReducer } from './gradient-reducer.js'

/** Why a training stops before its end. */
export type StopReason = 'signal' | 'seconds'

/** Whether all processes stop now: one that wants to is enough. */
export async function agreeToStop(
  reducer: GradientReducer | undefined,
  wish: StopReason | undefined,
): Promise<StopReason | undefined> {
  if (!reducer) return wish
  const flags = Float32Array.of(Number(wish === 'signal'), Number(wish === 'seconds'))
  await reducer.allReduce(flags)
  return flags[0] > 0 ? 'signal' : flags[1] > 0 ? 'seconds' : undefined
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
