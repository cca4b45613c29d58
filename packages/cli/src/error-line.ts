import { FacekitError } from '@facekit/core'

/** What went wrong, in one line.
 *
 * @param subject - what was being worked on; begins the line unless the message names it already
 */
export function errorLine(error: unknown, subject?: string): string {
  const message = describe(error).replace(/\s+/g, ' ').trim()
  return subject && !message.includes(subject) ? `${subject}: ${message}` : message
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOENT: 'no such folder',
  EEXIST: 'a file of that name exists',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open; raise the limit of the process (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  ENOTREG: 'is a pipe, a socket or a device, expected a file',
  EISDIR: 'is a folder, expected a file',
  EIO: 'the disk reports an error',
}

/** Why a file cannot be written or read, in words. */
export function fileSystemReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return (code && REASONS[code]) || (error instanceof Error ? error.message : String(error))
}

function describe(error: unknown): string {
  if (error instanceof FacekitError) return error.message
  const message = error instanceof Error ? error.message : ''
  if (
    /could not allocate memory|allocation failed|array length|out of memory|cannot grow|memory access out of/i.test(
      message,
    )
  ) {
    return `out of memory (${message}); use smaller pictures or batches, or raise the limit of the process`
  }
  const { code, path } = error as NodeJS.ErrnoException
  if (code && REASONS[code]) return path ? `${path}: ${REASONS[code]}` : `${message} (${REASONS[code]})`
  return error instanceof Error ? error.message || error.name : String(error)
}
