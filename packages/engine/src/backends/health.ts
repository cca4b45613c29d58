import { getBackend, type KernelBackend } from '@tensorflow/tfjs-core'
import { BackendError } from '@facekit/core'

/** What has gone wrong on a backend that reports its errors late. */
export interface Health {
  /** First error that nobody has been told of yet. */
  failure?: string
  /** Why the backend can never compute again. */
  lost?: string
  /** Resolves when that happens: what was asked for before may never be answered. */
  untilLost: Promise<unknown>
  /** Waits until everything that was asked for has been computed, or has failed. */
  settle(): Promise<void>
}

const watched = new Map<string, { backend: KernelBackend; health: Health }>()

/** Makes a backend that reports its errors late throw them: every awaited read of a tensor throws what has failed before it.
 *
 * Synchronous code cannot be told; what it computed from a failed kernel is caught when it is read.
 */
export function watchHealth(name: string, backend: KernelBackend, health: Health): void {
  watched.set(name, { backend, health })
  const read = backend.read.bind(backend)
  backend.read = async (dataId) => {
    throwFailure(name, health)
    try {
      const values = await Promise.race([read(dataId), health.untilLost.then(() => undefined)])
      // Without values it is lost: `finally` says so.
      return values!
    } finally {
      // A read that fails because of an earlier error must name that error, not its own.
      await health.settle()
      throwFailure(name, health)
    }
  }
}

/** Why a backend can never compute again; nothing while it can. */
export const lostReason = (name: string): string | undefined => watched.get(name)?.health.lost

/** Waits for the current backend to finish, and throws if anything failed on it since the last time that it threw.
 *
 * WebGPU reports an invalid kernel, a lack of memory or a lost device only later, and tfjs goes on computing with what is in
 * memory. After `initEngine` every awaited `tensor.data()` throws instead; call this at the end of work that reads nothing,
 * such as a training step. On the other backends an error is thrown at once, and this returns at once.
 *
 * @throws {BackendError} that names the kernel, as far as the backend does
 */
export async function assertHealthy(): Promise<void> {
  const name = getBackend()
  const entry = watched.get(name)
  if (!entry) return
  await entry.health.settle()
  throwFailure(name, entry.health)
}

function throwFailure(name: string, health: Health): void {
  if (health.lost !== undefined) {
    throw new BackendError(
      `${name} backend: the device is lost (${health.lost}); start the program again, with smaller batches or on backend "wasm"`,
    )
  }
  const { failure } = health
  if (failure === undefined) return
  health.failure = undefined
  throw new BackendError(
    `${name} backend: ${failure}; results computed since the last check are wrong, try backend "wasm"`,
  )
}
