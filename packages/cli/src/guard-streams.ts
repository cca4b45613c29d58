import type { CliStream } from './cli-io.js'
import { fileSystemReason } from './error-line.js'

/** A stream of a process, as far as it is used here. */
export interface GuardedStream extends CliStream {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

/** Streams to which writing never fails. A reader that has gone (`| head -1`) is no error: the work goes on, and its results with it. A full
 * disk behind stdout is said once, on stderr, when the work is done.
 *
 * @returns the streams, and whether something that was written to stdout is lost
 */
export function guardStreams(
  stdout: GuardedStream,
  stderr: GuardedStream,
): { stdout: GuardedStream; stderr: GuardedStream; failed(): boolean } {
  let lost = false
  const guard = (stream: GuardedStream, onError: (error: NodeJS.ErrnoException) => void): GuardedStream => {
    let open = true
    const fail = (error: NodeJS.ErrnoException) => {
      if (open) onError(error)
      open = false
    }
    stream.on('error', fail)
    return new Proxy(stream, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const method = value.bind(target) as (...args: unknown[]) => unknown
        if (name !== 'write') return method
        return (...args: unknown[]) => {
          if (!open) return true
          try {
            return method(...args)
          } catch (error) {
            fail(error as NodeJS.ErrnoException)
            return true
          }
        }
      },
    })
  }
  const errors = guard(stderr, () => {})
  const results = guard(stdout, (error) => {
    if (error.code === 'EPIPE') return
    lost = true
    errors.write(`facekit: standard output cannot be written: ${fileSystemReason(error)}\n`)
  })
  return { stdout: results, stderr: errors, failed: () => lost }
}
