import { FacekitError } from '@facekit/core'
import type Koffi from 'koffi'

/** Stack of functions on other threads, bytes: MPICH overflows on koffi's 128 KiB. */
const STACK = 8 << 20

let isConfigured = false

/** Imports koffi, which calls libraries of the system; its name is hidden from bundlers, which would insist on finding the package.
 *
 * @param who - for the error
 * @throws {FacekitError} when it is not installed
 */
export async function importKoffi(who: string, name = 'koffi'): Promise<typeof Koffi> {
  try {
    const module = (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as {
      default: typeof Koffi
    }
    // Once a library was loaded koffi refuses it.
    if (!isConfigured) module.default.config({ async_stack_size: STACK })
    isConfigured = true
    return module.default
  } catch (error) {
    throw new FacekitError(
      `${who}: the package koffi, which calls libraries of the system, cannot be loaded (${(error as Error).message}); npm install koffi`,
      { cause: error },
    )
  }
}
