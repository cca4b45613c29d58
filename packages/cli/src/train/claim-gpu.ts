import { FacekitError } from '@facekit/core'
import type { TrainConfig } from './train-config.js'

/** Takes this process's GPU among those of the machine, before anything is started.
 *
 * @returns what to call when a GPU is about to be used: says which one it is, where there is a choice
 * @throws {FacekitError} by that call, when two processes would use the same one
 */
export async function claimGpu({
  backend,
  shareGpu,
}: Pick<TrainConfig, 'backend' | 'shareGpu'>): Promise<(isSoftware: boolean) => string | undefined> {
  const { localRank, takeGpu } = await import('@facekit/trainer')
  const { size } = localRank() ?? { size: 1 }
  if (size === 1 || !['auto', 'webgpu'].includes(backend)) return () => undefined
  // The other processes learn of an error only when all have joined.
  const taken = await takeGpu({ share: shareGpu }).catch((error: Error) => error)
  return (isSoftware) => {
    if (taken instanceof Error) throw taken
    if (taken) return `${taken.device}${taken.bus === undefined ? '' : ` on bus ${taken.bus}`}`
    if (isSoftware) return undefined
    if (shareGpu) return 'which other processes on this machine have, too'
    throw new FacekitError(
      `train: ${size} processes on this machine would have the same GPU: which one a process gets can be chosen on Linux, of GPUs of NVIDIA; give each a container with one GPU, or let them share it (--share-gpu)`,
    )
  }
}
